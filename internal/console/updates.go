package console

import (
	"io"
	"net/http"
	"slices"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/web"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/patch"
)

// Bounds of the page of updates.
const (
	maxInventory   = 32 << 20 // bytes
	shownDays      = 12
	shownResults   = 200
	maxInventories = 10
)

func (c *Console) updateRoutes() []web.Route {
	return []web.Route{
		{Method: http.MethodGet, Pattern: "/updates", Rule: web.Login, Handler: c.updates},
		{Method: http.MethodPost, Pattern: "/updates", Rule: web.Login, Body: maxInventory, Time: uploadTime, Handler: c.checkUpdates},
	}
}

func (c *Console) patchDeps() *desk.PatchDeps {
	return &desk.PatchDeps{Store: c.Patch, Facts: c.Config.Facts, Words: c.Words, Now: c.Now}
}

// updatesPage is when vendors release updates, and what an inventory lacks.
type updatesPage struct {
	Days    []desk.PatchDay
	Report  *desk.PatchReport // nil where nobody handed an inventory in
	Wanting []desk.PatchResult
	More    int
}

func (c *Console) updates(w http.ResponseWriter, r *http.Request) { c.showUpdates(w, r, nil) }

func (c *Console) showUpdates(w http.ResponseWriter, r *http.Request, report *desk.PatchReport) {
	days, _, err := desk.PatchDays(&desk.PatchDaysInput{}, c.patchDeps())
	if err != nil {
		c.fail(w, r, err)
		return
	}
	p := &updatesPage{Days: days[:min(len(days), shownDays)], Report: report}
	if report != nil {
		for _, x := range report.Results {
			if x.Status == patch.OK {
				continue
			}
			if len(p.Wanting) == shownResults {
				p.More++
				continue
			}
			p.Wanting = append(p.Wanting, x)
		}
		slices.SortStableFunc(p.Wanting, func(a, b desk.PatchResult) int { return dueOrder(&a) - dueOrder(&b) })
	}
	c.page(w, r, "updates", p)
}

// dueOrder puts what is exploited and what is late first.
func dueOrder(x *desk.PatchResult) int {
	switch {
	case len(x.Exploited) > 0:
		return 0
	case x.Overdue > 0:
		return 1
	case x.Needed != nil:
		return 2
	}
	return 3
}

// checkUpdates compares inventories that somebody hands in. They are not kept.
func (c *Console) checkUpdates(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseMultipartForm(uploadMemory); err != nil { //nolint:gosec // the route bounds the body
		c.fail(w, r, formError(err, "updates"))
		return
	}
	defer func() { _ = r.MultipartForm.RemoveAll() }() // nobody waits for it
	in := &desk.PatchInput{}
	files := r.MultipartForm.File["file"]
	for _, h := range files[:min(len(files), maxInventories)] {
		if h.Size == 0 {
			continue
		}
		f, err := h.Open()
		if err != nil {
			c.fail(w, r, err)
			return
		}
		data, err := io.ReadAll(f)
		_ = f.Close() // it was read
		if err != nil {
			c.fail(w, r, err)
			return
		}
		in.Files = append(in.Files, desk.PatchFile{Name: h.Filename, Data: data})
	}
	if len(in.Files) == 0 {
		c.fail(w, r, &desk.Error{Kind: desk.Invalid, Message: lang.M("console.updates.error.nothing"), Hint: lang.M("console.updates.hint.nothing")})
		return
	}
	report, err := desk.CheckPatches(r.Context(), in, c.patchDeps())
	if err != nil {
		c.fail(w, r, err)
		return
	}
	c.showUpdates(w, r, report)
}
