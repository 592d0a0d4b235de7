package patch

import (
	"cmp"
	"slices"
	"time"
)

// BranchRelease is the newest security update of a branch in a span of time.
type BranchRelease struct {
	Product Product
	Branch  Branch
	Release Release
	Rivals  []string // other versions that sources give for the same update
}

// Released returns the newest security update of each branch that could be had
// from one moment on and before another, by vendor, product and version.
func (b *Book) Released(from, to time.Time) []BranchRelease {
	var out []BranchRelease
	for k, list := range b.releases {
		var newest *entry
		for _, e := range list {
			if at := e.Date.at(); e.Kind.secures() && !at.Before(from) && at.Before(to) && (newest == nil || !e.Date.Before(newest.Date.Time)) {
				newest = e
			}
		}
		product, branch := b.products[k.product], b.branches[k]
		if newest == nil || product == nil || branch == nil {
			continue
		}
		r := BranchRelease{Product: *product, Branch: *branch, Release: newest.Release}
		for _, rival := range newest.rivals {
			r.Rivals = append(r.Rivals, rival.Version)
		}
		slices.Sort(r.Rivals)
		out = append(out, r)
	}
	slices.SortFunc(out, func(x, y BranchRelease) int {
		return cmp.Or(cmp.Compare(x.Product.Vendor, y.Product.Vendor), cmp.Compare(x.Product.ID, y.Product.ID), version(&x).Compare(version(&y)), cmp.Compare(x.Branch.ID, y.Branch.ID))
	})
	return out
}

func version(r *BranchRelease) Version {
	v, _ := ParseVersion(r.Release.Version) // it is in the book, so it can be read
	return v
}

// Months returns the planned days of all vendors that lie in a span of time, the
// first one first.
func (b *Book) Months(from, to time.Time) []Month {
	var out []Month
	for _, m := range b.months {
		if at := m.Released.at(); !at.Before(from) && at.Before(to) {
			out = append(out, m)
		}
	}
	slices.SortFunc(out, func(x, y Month) int {
		return cmp.Or(x.Released.Compare(y.Released.Time), cmp.Compare(x.Vendor, y.Vendor))
	})
	return out
}
