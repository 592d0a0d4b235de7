// Package schema carries the JSON Schemas of the records that sekisho writes.
// They are files, for people and for programs that check what they read; the
// document of the API is made of them.
package schema

import (
	"embed"
	"io/fs"
)

//go:embed *.json
var files embed.FS

// Files returns the schemas, named as in the folder docs/schema.
func Files() fs.FS { return files }
