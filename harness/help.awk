# help.awk - `make help`: what the Makefile says behind its ## marks, on lines
# of 80 columns.
/^## ---- / { printf "\n%s\n", substr($0, 9) }
/^[a-z-]+:.*## / {
    line = $0
    sub(/:.*/, "", line)
    line = sprintf("  make %-10s", line)
    sub(/.*## /, "")
    for (i = 1; i <= NF; i++) {
        if (length(line) + 1 + length($i) > 80) {
            print line
            line = sprintf("%17s", "")
        }
        line = line " " $i
    }
    print line
}
