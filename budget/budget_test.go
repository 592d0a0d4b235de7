package budget_test

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/sekisho/sekisho/budget"
)

func TestNilIsUnlimited(t *testing.T) {
	var b *budget.Budget
	if !b.Spend(math.MaxInt) || !b.SpendPart(math.MaxInt) || b.Exhausted() {
		t.Error("a nil budget has a limit")
	}
}

func TestNewHasDefaults(t *testing.T) {
	b := budget.New(nil)
	if b.Bytes != budget.DefaultBytes || b.Parts != budget.DefaultParts || b.Depth != budget.DefaultDepth || b.Cost != budget.DefaultCost || !b.Deadline.IsZero() {
		t.Errorf("got %+v", b)
	}
	if b.Exhausted() {
		t.Error("exhausted before the first unit")
	}
}

func TestSpend(t *testing.T) {
	for _, tc := range []struct {
		name  string
		cost  int64
		spend []int
		want  []bool
	}{
		{"Within", 10, []int{4, 6}, []bool{true, true}},
		{"Over", 10, []int{4, 7}, []bool{true, false}},
		{"StaysOut", 10, []int{11, 0, 1}, []bool{false, false, false}},
		{"NothingCostsNothing", 0, []int{0, 0}, []bool{true, true}},
		{"NegativeGivesNothingBack", 10, []int{-100, 11}, []bool{true, false}},
		{"Huge", 10, []int{math.MaxInt, math.MaxInt}, []bool{false, false}},
		{"Smallest", 10, []int{math.MinInt, 10, 1}, []bool{true, true, false}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := budget.New(nil)
			b.Cost = tc.cost
			for i, n := range tc.spend {
				if got := b.Spend(n); got != tc.want[i] {
					t.Errorf("Spend(%d), call %d: %v", n, i+1, got)
				}
				if b.Exhausted() == tc.want[i] {
					t.Errorf("Exhausted after call %d: %v", i+1, b.Exhausted())
				}
			}
		})
	}
}

func TestDeadline(t *testing.T) {
	now := time.Date(2026, time.May, 29, 9, 0, 0, 0, time.UTC)
	b := budget.New(func() time.Time { return now })
	b.Deadline = now.Add(time.Second)
	if !b.Spend(1) {
		t.Fatal("out before the deadline")
	}
	now = b.Deadline
	if !b.Spend(1) {
		t.Error("out at the deadline")
	}
	now = now.Add(1)
	if b.Spend(0) || !b.Exhausted() {
		t.Error("holds after the deadline")
	}
	now = b.Deadline.Add(-time.Hour)
	if b.Spend(0) {
		t.Error("a clock that goes back gives units back")
	}
}

func TestSpendPart(t *testing.T) {
	b := budget.New(nil)
	b.Parts, b.Depth = 2, 3
	if b.SpendPart(4) {
		t.Error("too deep, and read")
	}
	if !b.SpendPart(3) || !b.SpendPart(0) {
		t.Error("a part within the limits was refused: the deep one must not count")
	}
	if b.SpendPart(0) {
		t.Error("one part too many")
	}
	if b.Exhausted() || !b.Spend(1) {
		t.Error("a refused part ended the budget")
	}
}

func TestSpendPartWhenOut(t *testing.T) {
	b := budget.New(nil)
	b.Cost = 0
	b.Spend(1)
	if b.SpendPart(0) {
		t.Error("a budget that has run out gives a part")
	}
}

// TestSpendIsExact checks that, whatever the order, exactly the cost can be
// spent.
func TestSpendIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := budget.New(nil)
		b.Cost = rapid.Int64Range(0, 1000).Draw(t, "cost")
		left := b.Cost
		for _, n := range rapid.SliceOf(rapid.IntRange(0, 300)).Draw(t, "spend") {
			left -= int64(n)
			if got := b.Spend(n); got != (left >= 0) {
				t.Fatalf("Spend(%d) with %d left: %v", n, left, got)
			}
			if left < 0 {
				return
			}
		}
	})
}

func TestShare(t *testing.T) {
	for _, tt := range []struct {
		name              string
		cost, share       int64
		spend             int
		shareOut, holds   bool
		left, leftOfShare int64
	}{
		{"Part", 100, 30, 20, false, true, 80, 10},
		{"All", 100, 30, 30, false, true, 70, 0},
		{"TooMuch", 100, 30, 31, true, true, 70, -1},
		{"MoreThanThereIs", 20, 30, 20, false, true, 0, 0},
		{"Nothing", 100, 0, 1, true, true, 100, -1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := budget.New(nil)
			b.Cost = tt.cost
			s, settle := b.Share(tt.share)
			s.SpendPart(0)
			if got := s.Spend(tt.spend); got == tt.shareOut {
				t.Errorf("the share holds: %v", got)
			}
			settle()
			if b.Exhausted() == tt.holds || b.Cost != tt.left || s.Cost != tt.leftOfShare || b.Parts != budget.DefaultParts-1 {
				t.Errorf("%d left, %d of the share, %d parts, out %v", b.Cost, s.Cost, b.Parts, b.Exhausted())
			}
		})
	}
	var none *budget.Budget
	s, settle := none.Share(10)
	settle()
	if s.Spend(11) {
		t.Error("the share of an unlimited budget is unlimited")
	}
}

func TestFiles(t *testing.T) {
	b := budget.New(nil)
	f := b.Files()
	if f.Spend(budget.DefaultFiles + 1); !f.Exhausted() || b.Exhausted() || b.Files() != f {
		t.Errorf("files exhausted %v, message exhausted %v, the same %v", f.Exhausted(), b.Exhausted(), b.Files() == f)
	}
	if small := (&budget.Budget{Cost: 10}).Files(); small.Spend(11) {
		t.Error("files have more than the message")
	}
	if (*budget.Budget)(nil).Files() != nil {
		t.Error("no budget has one for files")
	}
}
