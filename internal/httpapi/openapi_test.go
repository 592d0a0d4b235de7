package httpapi_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/httpapi"
	"github.com/sekisho/sekisho/internal/web"
)

var update = flag.Bool("update", false, "rewrite docs/openapi.json")

func document(t *testing.T) []byte {
	t.Helper()
	b, err := httpapi.Document()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestDocumentIsPublished holds the file for readers to the document that is
// served.
func TestDocumentIsPublished(t *testing.T) {
	file := filepath.Join("..", "..", "docs", "openapi.json")
	got := document(t)
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, got) {
		t.Error("docs/openapi.json is not what is served; go test ./internal/httpapi -update rewrites it")
	}
}

// TestDocumentIsOpenAPI validates the shape of the document, and that every
// schema in it compiles with all that it refers to.
func TestDocumentIsOpenAPI(t *testing.T) {
	shape, err := jsonschema.NewCompiler().Compile(filepath.Join("testdata", "openapi-3.1.json"))
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(document(t)))
	if err != nil {
		t.Fatal(err)
	}
	if err := shape.Validate(doc); err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("openapi.json", doc); err != nil {
		t.Fatal(err)
	}
	schemas := doc.(map[string]any)["components"].(map[string]any)["schemas"].(map[string]any)
	for name := range schemas {
		if _, err := c.Compile("openapi.json#/components/schemas/" + name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, m := range regexp.MustCompile(`"\$ref": "([^"]+)"`).FindAllSubmatch(document(t), -1) {
		name, ok := strings.CutPrefix(string(m[1]), "#/components/schemas/")
		if !ok || schemas[name] == nil {
			t.Errorf("a reference leads nowhere: %s", m[1])
		}
	}
}

// operation is what the test looks at of a document.
type operation struct {
	ID         string `json:"operationId"`
	Security   []map[string][]string
	Parameters []struct{ Name, In string }
}

// TestDocumentHasEveryRoute holds routes and document to each other.
func TestDocumentHasEveryRoute(t *testing.T) {
	routes, err := httpapi.Routes(httpapi.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	for _, r := range routes {
		if !strings.HasPrefix(r.Pattern, httpapi.Base+"/") {
			continue
		}
		if (r.Rule == web.Bearer) != slices.Contains(desk.Scopes(), r.Scope) || r.Rule != web.Bearer && r.Rule != web.Public {
			t.Errorf("%s %s has the rule %s and the scope %q", r.Method, r.Pattern, r.Rule, r.Scope)
		}
		want[strings.ToLower(r.Method)+" "+r.Pattern] = string(r.Scope)
	}
	var doc struct {
		Paths map[string]map[string]operation
	}
	if err := json.Unmarshal(document(t), &doc); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	var ids []string
	for path, methods := range doc.Paths {
		for method, op := range methods {
			scope := ""
			for _, s := range op.Security {
				scope = strings.Join(s["token"], " ")
			}
			got[method+" "+path] = scope
			ids = append(ids, op.ID)
			var in []string
			for _, p := range op.Parameters {
				if p.In == "path" {
					in = append(in, "{"+p.Name+"}")
				}
			}
			if diff := cmp.Diff(regexp.MustCompile(`\{\w+\}`).FindAllString(path, -1), in); diff != "" {
				t.Errorf("%s: %s", path, diff)
			}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("routes (-) and document (+):\n%s", diff)
	}
	slices.Sort(ids)
	if len(slices.Compact(slices.Clone(ids))) != len(ids) {
		t.Errorf("an operation is there twice: %v", ids)
	}
	for _, s := range desk.Scopes() {
		if !slices.Contains(slices.Collect(maps.Values(got)), string(s)) {
			t.Errorf("no route asks for the scope %s", s)
		}
	}
	for key, scope := range got {
		if strings.Contains(key, "approve") || strings.Contains(key, "/send") {
			t.Errorf("a token could do what is for people: %s (%s)", key, scope)
		}
	}
}
