package match

import (
	"encoding/binary"
	"math/bits"
	"regexp/syntax"
	"slices"
	"sort"
	"unicode"
	"unicode/utf8"

	"github.com/sekisho/sekisho/budget"
)

// Package regexp simulates an automaton of many states at once, which costs
// some ten nanoseconds for each of them and each character. Whether an
// expression matches at all is told by one state after another where the sets
// of states that were met are remembered: Thompson, "Regular expression search
// algorithm", CACM 11 (1968); Cox, "Regular expression matching in the wild"
// (https://swtch.com/~rsc/regexp/regexp3.html).

// Limits of what is remembered.
const (
	maxInsts   = 8192 // of an expression; package regexp answers larger ones
	maxClasses = 250  // kinds of characters that an expression tells apart

	// What one text may meet before everything is forgotten, in words of 8
	// bytes. As much may be there from texts before.
	maxKept = 1 << 12
)

// program is an expression ready to be run. It is immutable.
type program struct {
	prog   *syntax.Prog
	accept [][4]uint64 // by instruction: the classes that it takes
	words  int         // of a set of instructions
	anchor bool        // matches at the start of the text alone

	ascii  [utf8.RuneSelf]uint8 // the class of a character
	bounds []rune               // of the others: where stretches of one class begin,
	class  []uint8              // and which class
	kinds  []kind               // of the classes; the last one is the end of the text

	usesBegin, usesLine, usesWord bool
}

// kind is what assertions such as \b see of a class of characters.
type kind struct{ newline, word, end bool }

// newProgram returns nil for an expression that is too large.
func newProgram(re *syntax.Regexp) *program {
	prog, err := syntax.Compile(re.Simplify())
	if err != nil || len(prog.Inst) > maxInsts {
		return nil
	}
	p := &program{prog: prog, words: (len(prog.Inst) + 63) / 64, anchor: prog.StartCond()&syntax.EmptyBeginText != 0}
	sets, ids := [][]rune{}, map[string]int{}
	of := make([]int, len(prog.Inst)) // the set of each instruction, -1 for none
	for i := range prog.Inst {
		inst := &prog.Inst[i]
		of[i] = -1
		var ranges []rune
		switch inst.Op {
		case syntax.InstEmptyWidth:
			op := syntax.EmptyOp(inst.Arg)
			p.usesBegin = p.usesBegin || op&(syntax.EmptyBeginText|syntax.EmptyBeginLine) != 0
			p.usesLine = p.usesLine || op&(syntax.EmptyBeginLine|syntax.EmptyEndLine) != 0
			p.usesWord = p.usesWord || op&(syntax.EmptyWordBoundary|syntax.EmptyNoWordBoundary) != 0
			continue
		case syntax.InstRuneAny:
			ranges = []rune{0, unicode.MaxRune}
		case syntax.InstRuneAnyNotNL:
			ranges = []rune{0, '\n' - 1, '\n' + 1, unicode.MaxRune}
		case syntax.InstRune1:
			ranges = []rune{inst.Rune[0], inst.Rune[0]}
		case syntax.InstRune:
			ranges = inst.Rune
			if len(ranges) == 1 {
				ranges = orbit(ranges[0], syntax.Flags(inst.Arg)&syntax.FoldCase != 0)
			}
		default:
			continue
		}
		key := string(ranges)
		id, ok := ids[key]
		if !ok {
			id = len(sets)
			ids[key] = id
			sets = append(sets, ranges)
		}
		of[i] = id
	}
	taken, ok := p.classify(sets)
	if !ok {
		return nil
	}
	p.accept = make([][4]uint64, len(prog.Inst))
	for i, id := range of {
		if id >= 0 {
			p.accept[i] = taken[id]
		}
	}
	return p
}

// orbit returns the ranges of one character, or of all that equal it but for
// case.
func orbit(r rune, fold bool) []rune {
	out := []rune{r, r}
	if fold {
		for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
			out = append(out, f, f)
		}
	}
	return out
}

// classify parts all characters into classes that no set tells apart, and
// returns the classes of each set. ok is false where they are too many.
func (p *program) classify(sets [][]rune) (taken [][4]uint64, ok bool) {
	extra := [][]rune{{'\n', '\n'}, {'0', '9', 'A', 'Z', '_', '_', 'a', 'z'}}
	all := append(slices.Clip(sets), extra...)
	bounds := []rune{0, utf8.RuneSelf}
	for i, ranges := range all {
		if i == len(sets) && !p.usesLine || i == len(sets)+1 && !p.usesWord {
			continue
		}
		for j := 0; j+1 < len(ranges); j += 2 {
			bounds = append(bounds, ranges[j], ranges[j+1]+1)
		}
	}
	slices.Sort(bounds)
	bounds = slices.Compact(bounds)
	// The sets that each stretch lies in, as a key.
	size := (len(all) + 7) / 8
	keys := make([]byte, size*len(bounds))
	for i, ranges := range all {
		for j := 0; j+1 < len(ranges); j += 2 {
			at, _ := slices.BinarySearch(bounds, ranges[j])
			for ; at < len(bounds) && bounds[at] <= ranges[j+1]; at++ {
				keys[at*size+i/8] |= 1 << (i % 8)
			}
		}
	}
	taken = make([][4]uint64, len(sets))
	ids := map[string]uint8{}
	for at := range bounds {
		key := keys[at*size : (at+1)*size]
		id, ok := ids[string(key)]
		if !ok {
			if len(ids) == maxClasses {
				return nil, false
			}
			id = uint8(len(ids))
			ids[string(key)] = id
			has := func(i int) bool { return key[i/8]&(1<<(i%8)) != 0 }
			for i := range sets {
				if has(i) {
					taken[i][id/64] |= 1 << (id % 64)
				}
			}
			p.kinds = append(p.kinds, kind{newline: p.usesLine && has(len(sets)), word: p.usesWord && has(len(sets)+1)})
		}
		if bounds[at] < utf8.RuneSelf {
			to := rune(utf8.RuneSelf)
			if at+1 < len(bounds) {
				to = min(to, bounds[at+1])
			}
			for r := bounds[at]; r < to; r++ {
				p.ascii[r] = id
			}
			continue
		}
		p.bounds = append(p.bounds, bounds[at])
		p.class = append(p.class, id)
	}
	p.kinds = append(p.kinds, kind{end: true})
	return taken, true
}

// classOf returns the class of a character beyond ASCII.
func (p *program) classOf(r rune) uint8 {
	return p.class[sort.Search(len(p.bounds), func(i int) bool { return p.bounds[i] > r })-1]
}

// What stands in front of a place, as far as assertions ask.
const (
	afterOther uint64 = iota
	afterStart
	afterNewline
	afterWord
)

// The first states.
const (
	stateUnknown int32 = iota // of a transition that was not met yet
	stateMatch
	stateDead // nothing can match any more
	stateFirst
)

// dfa runs a program and remembers the states that it met. It is not safe for
// concurrent use.
//
// What a text costs must not depend on the texts before it. Each transition
// therefore remembers the text that last took it, and a text pays for each that
// it is the first to take, known or not.
type dfa struct {
	*program
	width  int              // of a row of next: the classes and the end
	next   []uint64         // by state and class: the state after it, and above it the text
	states []uint64         // by state: the instructions to go on with, and what stands in front
	ids    map[string]int32 // of the states
	text   uint32           // number of the text
	seen   []uint32         // by state: the text that last came by
	most   int              // states that a text may come by before everything is forgotten
	met    []uint64         // instructions of the state that is being built
	seeds  []uint64         // the state after it
	stack  []uint32
	key    []byte
}

func newDFA(p *program) *dfa {
	d := &dfa{program: p, width: len(p.kinds), ids: map[string]int32{}, met: make([]uint64, p.words), seeds: make([]uint64, p.words+1)}
	d.most = max(16, maxKept/(d.width+p.words+1))
	d.forget()
	return d
}

// forget leaves the first states alone.
func (d *dfa) forget() {
	d.next = append(d.next[:0], make([]uint64, int(stateFirst)*d.width)...)
	d.states = append(d.states[:0], make([]uint64, int(stateFirst)*(d.words+1))...)
	d.seen = append(d.seen[:0], make([]uint32, stateFirst)...)
	clear(d.ids)
}

// begin makes ready for a text.
func (d *dfa) begin() {
	if d.text++; d.text == 0 || len(d.ids) > d.most {
		d.forget()
		d.text = max(d.text, 1)
	}
}

// price is what a transition costs that a text takes for the first time.
func (p *program) price() int { return 32 + len(p.prog.Inst)/8 }

// matches reports whether the expression matches anywhere in text. ok is false
// where the budget has run out.
func (d *dfa) matches(text string, b *budget.Budget) (matched, ok bool) {
	if !b.Spend(1 + len(text)) {
		return false, false
	}
	d.begin()
	clear(d.seeds)
	d.seeds[d.prog.Start/64] |= 1 << (d.prog.Start % 64)
	if d.usesBegin {
		d.seeds[d.words] = afterStart
	}
	state, left, price := d.state(), d.most, d.price()
	for i := 0; i <= len(text); {
		class := d.width - 1
		switch {
		case i == len(text):
			i++
		case text[i] < utf8.RuneSelf:
			class = int(d.ascii[text[i]])
			i++
		default:
			r, n := utf8.DecodeRuneInString(text[i:])
			class = int(d.classOf(r))
			i += n
		}
		at := int(state)*d.width + class
		t := d.next[at]
		if uint32(t>>32) != d.text {
			if !b.Spend(price) {
				return false, false
			}
			if left < 0 {
				// More than is worth remembering: it begins anew.
				copy(d.seeds, d.states[int(state)*(d.words+1):])
				d.forget()
				state, left = d.state(), d.most
				at = int(state)*d.width + class
				t = 0
			}
			if int32(uint32(t)) == stateUnknown {
				t = uint64(d.build(state, class))
			}
			t = t&0xffffffff | uint64(d.text)<<32
			d.next[at] = t
			if to := uint32(t); d.seen[to] != d.text {
				d.seen[to] = d.text
				left--
			}
		}
		if state = int32(uint32(t)); state < stateFirst {
			return state == stateMatch, true
		}
	}
	return false, true
}

// state returns the state in d.seeds, a new one if it was not met yet.
func (d *dfa) state() int32 {
	d.key = d.key[:0]
	for _, w := range d.seeds {
		d.key = binary.LittleEndian.AppendUint64(d.key, w)
	}
	id, ok := d.ids[string(d.key)]
	if !ok {
		id = int32(len(d.states) / (d.words + 1))
		d.ids[string(d.key)] = id
		d.states = append(d.states, d.seeds...)
		d.next = append(d.next, make([]uint64, d.width)...)
		d.seen = append(d.seen, 0)
	}
	return id
}

// build computes the transition of a state for a class.
func (d *dfa) build(from int32, class int) int32 {
	size := d.words + 1
	k := d.kinds[class]
	after := d.states[int(from)*size+d.words]
	var flags syntax.EmptyOp
	switch after {
	case afterStart:
		flags |= syntax.EmptyBeginText | syntax.EmptyBeginLine
	case afterNewline:
		flags |= syntax.EmptyBeginLine
	}
	if k.end {
		flags |= syntax.EmptyEndText | syntax.EmptyEndLine
	}
	if k.newline {
		flags |= syntax.EmptyEndLine
	}
	if (after == afterWord) != k.word {
		flags |= syntax.EmptyWordBoundary
	} else {
		flags |= syntax.EmptyNoWordBoundary
	}
	clear(d.met)
	clear(d.seeds)
	next := stateDead
	if d.closure(d.states[int(from)*size:int(from)*size+d.words], flags, class) {
		next = stateMatch
	} else if !k.end {
		if !d.anchor {
			d.seeds[d.prog.Start/64] |= 1 << (d.prog.Start % 64)
		}
		alive := slices.ContainsFunc(d.seeds[:d.words], func(w uint64) bool { return w != 0 })
		switch {
		case k.newline:
			d.seeds[d.words] = afterNewline
		case k.word:
			d.seeds[d.words] = afterWord
		}
		if alive {
			next = d.state()
		}
	}
	return next
}

// closure follows the instructions of a set that take no character, and adds
// to d.seeds what comes after those that take one of the class. It reports
// whether one of them is a match.
func (d *dfa) closure(set []uint64, flags syntax.EmptyOp, class int) bool {
	stack := d.stack[:0]
	for i, w := range set {
		for ; w != 0; w &= w - 1 {
			stack = append(stack, uint32(i*64+bits.TrailingZeros64(w)))
		}
	}
	word, bit := class/64, uint64(1)<<(class%64)
	for len(stack) > 0 {
		pc := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if d.met[pc/64]&(1<<(pc%64)) != 0 {
			continue
		}
		d.met[pc/64] |= 1 << (pc % 64)
		inst := &d.prog.Inst[pc]
		switch inst.Op {
		case syntax.InstMatch:
			d.stack = stack
			return true
		case syntax.InstAlt, syntax.InstAltMatch:
			stack = append(stack, inst.Out, inst.Arg)
		case syntax.InstCapture, syntax.InstNop:
			stack = append(stack, inst.Out)
		case syntax.InstEmptyWidth:
			if syntax.EmptyOp(inst.Arg)&^flags == 0 {
				stack = append(stack, inst.Out)
			}
		case syntax.InstFail:
		default:
			if d.accept[pc][word]&bit != 0 {
				d.seeds[inst.Out/64] |= 1 << (inst.Out % 64)
			}
		}
	}
	d.stack = stack
	return false
}
