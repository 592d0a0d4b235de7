package office

// Decompress is for the example of the specification.
func Decompress(b []byte) []byte { return decompress(b, maxSource, nil) }
