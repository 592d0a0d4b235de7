// Package examples holds mails and other files about an organisation that does
// not exist, for "sekisho serve --demo" and for those who try the commands. They
// are written by "go run ./examples/gen" and by hand.
package examples

import (
	"embed"
	"io/fs"
)

//go:embed sekisho.yaml people.csv directsend forward ham phish dmarc news
var files embed.FS

// Files returns the files, named as in the folder examples.
func Files() fs.FS { return files }
