package httpapi

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"regexp"
	"strconv"
	"strings"

	"github.com/sekisho/sekisho/docs/schema"
	"github.com/sekisho/sekisho/internal/desk"
)

const jsonType = "application/json"

// property are the properties of an object of JSON Schema.
type property map[string]any

// object is the schema of a JSON body.
func object(p property, required ...string) map[string]any {
	out := map[string]any{"type": "object", "properties": map[string]any(p), "additionalProperties": false}
	if len(required) > 0 {
		out["required"] = required
	}
	return out
}

// Document returns the OpenAPI 3.1 document of the API. It is made of the table of
// endpoints and of the schemas in docs/schema, and always the same.
func Document() ([]byte, error) {
	schemas, err := components()
	if err != nil {
		return nil, err
	}
	paths := map[string]map[string]any{}
	for _, e := range endpoints() {
		p := e.pattern()
		if paths[p] == nil {
			paths[p] = map[string]any{}
		}
		op, err := e.operation(schemas)
		if err != nil {
			return nil, err
		}
		paths[p][strings.ToLower(e.method)] = op
	}
	b, err := json.MarshalIndent(map[string]any{
		"openapi":           "3.1.0",
		"jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
		"info": map[string]any{
			"title": "sekisho", "version": "1",
			"summary":     "Judges hostile mail for those who look after Microsoft 365.",
			"description": "A program shows a token: \"Authorization: Bearer TOKEN\". \"sekisho token add\" makes one. Text for people is an object with ja and en; times are RFC 3339 in UTC. A field that is added to a record is no new version; one that is taken away or changes its meaning is.",
			"license":     map[string]any{"name": "Apache-2.0", "identifier": "Apache-2.0"},
		},
		"servers": []any{map[string]any{"url": "/"}},
		"paths":   paths,
		"components": map[string]any{
			"schemas":         schemas,
			"securitySchemes": map[string]any{"token": map[string]any{"type": "http", "scheme": "bearer", "description": tokenText()}},
		},
	}, "", "  ")
	return append(b, '\n'), err
}

func tokenText() string {
	var names []string
	for _, s := range desk.Scopes() {
		names = append(names, string(s))
	}
	return "A token has scopes: " + strings.Join(names, ", ") + ". None lets it approve or send an advisory."
}

func (e *endpoint) operation(schemas map[string]any) (map[string]any, error) {
	op := map[string]any{"operationId": e.id, "summary": e.summary, "tags": []string{strings.SplitN(e.path, "/", 3)[1]}}
	about := e.about
	if e.scope != "" {
		op["security"] = []any{map[string]any{"token": []string{string(e.scope)}}}
		about = strings.TrimSpace(about + " Scope: " + string(e.scope) + ".")
	} else {
		op["security"] = []any{}
	}
	if about != "" {
		op["description"] = about
	}
	var params []any
	for _, p := range e.params {
		params = append(params, p.document(e.in(p.name)))
	}
	if params != nil {
		op["parameters"] = params
	}
	if b := e.body; b != nil {
		content := map[string]any{}
		for _, t := range b.types {
			content[t] = map[string]any{}
			if b.shape != nil {
				content[t] = map[string]any{"schema": b.shape}
			}
		}
		if b.parts {
			content["multipart/form-data"] = map[string]any{"schema": object(property{
				"file": map[string]any{"type": "array", "items": map[string]any{"type": "string", "contentMediaType": "application/octet-stream"}},
			}, "file")}
		}
		op["requestBody"] = map[string]any{"required": true, "description": b.about, "content": content}
	}
	good, err := e.answer.document(schemas)
	if err != nil {
		return nil, fmt.Errorf("httpapi: %s: %w", e.id, err)
	}
	failure := map[string]any{jsonType: map[string]any{"schema": reference("api-error.v1")}}
	answers := map[string]any{strconv.Itoa(max(e.answer.status, http.StatusOK)): good}
	answers["default"] = map[string]any{"description": "What went wrong, with the way out.", "content": failure}
	if e.scope != "" {
		answers["401"] = map[string]any{"description": "No token that holds.", "content": failure}
		answers["403"] = map[string]any{"description": "The token lacks the scope.", "content": failure}
	}
	op["responses"] = answers
	return op, nil
}

func (p *param) document(inPath bool) map[string]any {
	s := map[string]any{"type": p.kind}
	if p.form != "" {
		s["examples"] = []string{"2026-05-08"}
	}
	if p.words != nil {
		s["enum"] = p.words
	}
	if p.many {
		s = map[string]any{"type": "array", "items": s}
	}
	out := map[string]any{"name": p.name, "in": "query", "description": p.about, "schema": s}
	if inPath {
		out["in"], out["required"] = "path", true
	}
	return out
}

func (x *answer) document(schemas map[string]any) (map[string]any, error) {
	about := x.about
	content := map[string]any{}
	if x.schema != "" {
		if schemas[x.schema] == nil {
			return nil, fmt.Errorf("there is no schema %s", x.schema)
		}
		s := reference(x.schema)
		if x.list {
			s = map[string]any{"type": "array", "items": s}
		}
		content[jsonType] = map[string]any{"schema": s}
	}
	for _, t := range x.types {
		content[t] = map[string]any{}
	}
	if x.events {
		content["text/event-stream"] = map[string]any{"schema": map[string]any{
			"type": "string", "description": "Any number of events \"progress\" with done and total, then one \"result\" with the record, or one \"error\".",
		}}
	}
	if about == "" {
		about = "What was asked for."
	}
	out := map[string]any{"description": about}
	if len(content) > 0 {
		out["content"] = content
	}
	return out, nil
}

func reference(name string) map[string]any {
	return map[string]any{"$ref": "#/components/schemas/" + name}
}

var defsName = regexp.MustCompile(`^#/\$defs/([A-Za-z0-9_.-]+)$`)

// components returns the schemas as the document names them. What a schema calls
// "#/$defs/text" becomes a schema of the document of its own, since many programs
// that read such documents know no other place for one.
func components() (map[string]any, error) {
	files := schema.Files()
	names, err := fs.Glob(files, "*.json")
	if err != nil {
		return nil, err
	}
	out := map[string]any{}
	for _, file := range names {
		b, err := fs.ReadFile(files, file)
		if err != nil {
			return nil, err
		}
		var root map[string]any
		if err := json.Unmarshal(b, &root); err != nil {
			return nil, fmt.Errorf("httpapi: %s: %w", file, err)
		}
		name := strings.TrimSuffix(path.Base(file), ".json")
		defs, _ := root["$defs"].(map[string]any)
		for _, key := range []string{"$schema", "$id", "$defs"} {
			delete(root, key)
		}
		if err := adopt(root, name); err != nil {
			return nil, fmt.Errorf("httpapi: %s: %w", file, err)
		}
		out[name] = root
		for key, d := range defs {
			if err := adopt(d, name); err != nil {
				return nil, fmt.Errorf("httpapi: %s: %w", file, err)
			}
			out[name+"."+key] = d
		}
	}
	return used(out), nil
}

// adopt turns the references of a schema into those of the document.
func adopt(v any, name string) error {
	switch v := v.(type) {
	case map[string]any:
		for key, x := range v {
			if s, ok := x.(string); ok && key == "$ref" {
				switch m := defsName.FindStringSubmatch(s); {
				case m != nil:
					v[key] = "#/components/schemas/" + name + "." + m[1]
				case s == "#":
					v[key] = "#/components/schemas/" + name
				default:
					return fmt.Errorf("a reference leads out of the schema: %s", s)
				}
				continue
			}
			if err := adopt(x, name); err != nil {
				return err
			}
		}
	case []any:
		for _, x := range v {
			if err := adopt(x, name); err != nil {
				return err
			}
		}
	}
	return nil
}

// used returns the schemas that answers lead to.
func used(all map[string]any) map[string]any {
	out := map[string]any{}
	var follow func(v any)
	take := func(name string) {
		if s, ok := all[name]; ok && out[name] == nil {
			out[name] = s
			follow(s)
		}
	}
	follow = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for key, x := range v {
				if s, ok := x.(string); ok && key == "$ref" {
					take(strings.TrimPrefix(s, "#/components/schemas/"))
					continue
				}
				follow(x)
			}
		case []any:
			for _, x := range v {
				follow(x)
			}
		}
	}
	take("api-error.v1")
	for _, e := range endpoints() {
		take(e.answer.schema)
	}
	return out
}
