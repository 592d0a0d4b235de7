package httpapi

import (
	"net/http"

	"github.com/sekisho/sekisho/internal/desk"
)

func updateEndpoints() []endpoint {
	return []endpoint{{
		id: "checkPatches", method: http.MethodPost, path: "/patch/check", scope: desk.PatchRead, summary: "Which devices lack which updates",
		params: []param{
			nameParam,
			{name: "device", kind: "string", about: "Whose programs a winget export lists."},
			{name: "silent", kind: "integer", about: "Days after which a device counts as silent, 1 to 365; 14 without it."},
		},
		body:   &body{about: "A list of devices or programs as it was exported: CSV, JSON, XLSX.", types: []string{"application/octet-stream", "text/csv", jsonType}, parts: true},
		answer: answer{schema: "patch.v1"}, size: maxUpload, time: uploadTime, heavy: true, handle: (*api).checkPatches,
	}}
}

func (a *api) checkPatches(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	silent, err := number(q, "silent", 14, 1, 365)
	if err != nil {
		return err
	}
	files, err := received(r)
	if err != nil {
		return err
	}
	in := &desk.PatchInput{Device: q.Get("device"), SilentDays: silent}
	for _, f := range files {
		name := f.name
		if name == "" {
			name = "-"
		}
		in.Files = append(in.Files, desk.PatchFile{Name: name, Data: f.data})
	}
	report, err := desk.CheckPatches(r.Context(), in, &desk.PatchDeps{Store: a.Patch, Facts: a.Config.Facts, Words: a.Words, Now: a.Now})
	if err != nil {
		return err
	}
	return write(w, http.StatusOK, report)
}
