# The kit in a container, to grade one submission:
#
#   docker build -t faultline .
#   docker run --rm --network none -v "$PWD/ada:/submission:ro" \
#       -v "$PWD/report:/report" faultline
#
# The walls around a submission are the strongest that the container allows; the
# report names them.
FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends make \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /faultline
# What to install is asked of the kit alone, so that the layer is kept when
# other files change.
COPY harness/needs.sh harness/
RUN harness/needs.sh grade && rm -rf /var/lib/apt/lists/*
COPY Makefile ./
COPY harness/ harness/
RUN make -s build
ENTRYPOINT ["build/grade", "--submission", "/submission", "--report", "/report"]
