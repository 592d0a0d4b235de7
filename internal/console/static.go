package console

import (
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"slices"

	"github.com/sekisho/sekisho/internal/web"
)

// asset is a file that pages are made with.
type asset struct {
	bytes []byte
	kind  string // media type
	sum   string // changes with the bytes
}

func readStatic() (map[string]asset, error) {
	out := map[string]asset{}
	files, err := fs.ReadDir(staticFiles, "static")
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		b, err := staticFiles.ReadFile("static/" + f.Name())
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(b)
		if f.Name() == "console.css" {
			pages, err := staticFiles.ReadFile("static/pages.css")
			if err != nil {
				return nil, err
			}
			b = slices.Concat(b, pages)
			sum = sha256.Sum256(b)
		}
		out[f.Name()] = asset{b, mime.TypeByExtension(path.Ext(f.Name())), hex.EncodeToString(sum[:6])}
	}
	return out, nil
}

// assetPath returns the path of a file, which changes when the file does.
func (c *Console) assetPath(name string) string {
	return "/static/" + c.static[name].sum + "/" + name
}

func (c *Console) staticRoutes() []web.Route {
	return []web.Route{{Method: http.MethodGet, Pattern: "/static/{sum}/{name}", Rule: web.Public, Handler: c.asset}}
}

func (c *Console) asset(w http.ResponseWriter, r *http.Request) {
	a, ok := c.static[r.PathValue("name")]
	if !ok || r.PathValue("sum") != a.sum {
		c.Refuse(w, r, http.StatusNotFound, nil)
		return
	}
	w.Header().Set("Content-Type", a.kind)
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	_, _ = w.Write(a.bytes) // the reader has gone if it fails
}
