package mdm_test

import (
	"testing"

	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/mql/mdm"
	"github.com/sekisho/sekisho/mql/schema"
	"github.com/sekisho/sekisho/mql/value"
)

// lacking are the members of the published model that a mail file cannot give,
// or that nobody asks for.
var lacking = map[string]string{
	"_errors":  "a mail is read whatever it is",
	"_meta":    "written by the platform that delivers",
	"external": "written by the platform that delivers",
}

// compare walks a value along its published type.
func compare(t *testing.T, path string, v value.Value, typ *schema.Type, depth int) {
	if depth == 0 || v.IsNull() {
		return
	}
	kind := map[schema.Kind]value.Kind{
		schema.Bool: value.KindBool, schema.Int: value.KindInt, schema.String: value.KindString, schema.Array: value.KindArray, schema.Map: value.KindMap, schema.Object: value.KindObject,
	}
	if want, ok := kind[typ.Kind]; ok && want != v.Kind() && !(typ.Kind == schema.String && v.Kind() == value.KindInt) {
		t.Errorf("%s is of kind %s, published as %s", path, v.Kind(), typ)
		return
	}
	switch typ.Kind {
	case schema.Array:
		for _, item := range v.List().Items() {
			compare(t, path+"[]", item, typ.Elem, depth-1)
		}
	case schema.Map:
		for _, item := range v.Map().Values().List().Items() {
			compare(t, path+"[k]", item, typ.Elem, depth-1)
		}
	case schema.String:
		if s, _ := v.Str(); !typ.Allows(s) && path != "attachments[].file_type" {
			t.Logf("%s is %q, which is none of the published words", path, s)
		}
	case schema.Object:
		ours := map[string]bool{}
		for _, name := range v.Object().Shape().Fields() {
			ours[name] = true
			f, ok := typ.Field(name)
			if !ok {
				t.Errorf("%s.%s is not published", path, name)
				continue
			}
			compare(t, path+"."+name, v.Field(name), f.Type, depth-1)
		}
		for i := range typ.Fields {
			f := &typ.Fields[i]
			if _, ok := lacking[f.Name]; !ok && !ours[f.Name] && !f.Unpublished {
				t.Errorf("%s.%s is missing", path, f.Name)
			}
		}
	}
}

// TestSchema holds the model to the published types.
func TestSchema(t *testing.T) {
	m := mdm.New(mdm.Input{Mail: eml.Parse([]byte(mail), nil), Org: facts(), Recipient: "hanako@kiso.example", History: history{"boss@kiso.example": {}, "@kiso.example": {}}})
	compare(t, "", m.Root(), schema.Message(), 12)
	for _, name := range []string{"profile.by_sender", "profile.by_sender_email"} {
		f, _ := schema.Lookup(name)
		compare(t, name, m.Functions(nil)[name](&value.Call{}), f.Result, 4)
	}
	html := m.Root().Field("body").Field("html")
	f, _ := schema.Lookup("html.xpath")
	compare(t, f.Name, m.Functions(nil)[f.Name](&value.Call{Args: []value.Value{html, value.String("//a")}}), f.Result, 4)
}
