// A Cargo in Swift; linked statically it needs no file.
while let line = readLine() {
    let words = line.split(separator: " ").count
    print(#"{"type":"token","content":"\#(words)"}"#)
}
print(#"{"type":"done"}"#)
