# help.awk - `make help`: what the Makefile says behind its ## marks.
/^## ---- / { printf "\n%s\n", substr($0, 9) }
/^[a-z-]+:.*## / {
    name = $0
    sub(/:.*/, "", name)
    text = $0
    sub(/.*## /, "", text)
    printf "  make %-10s %s\n", name, text
}
