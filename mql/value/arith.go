package value

import "math"

// Arith is one of the operators + - * / and %. Two integers make an integer,
// "/" cutting off the rest; otherwise the result is a float. A division by zero,
// an overflow, and anything but numbers are null.
func Arith(op byte, a, b Value) Value {
	v, ok := known(a, b)
	if !ok {
		return v
	}
	if a.kind == KindInt && b.kind == KindInt {
		return arithInt(op, int64(a.n), int64(b.n))
	}
	x, xok := a.Number()
	y, yok := b.Number()
	if !xok || !yok {
		return Null
	}
	switch op {
	case '+':
		return Float(x + y)
	case '-':
		return Float(x - y)
	case '*':
		return Float(x * y)
	case '/':
		return Float(x / y) // of zero: no number, so null
	case '%':
		return Float(math.Mod(x, y))
	}
	return Null
}

func arithInt(op byte, x, y int64) Value {
	switch op {
	case '+':
		if s := x + y; (s > x) == (y > 0) {
			return Int(s)
		}
	case '-':
		if d := x - y; (d < x) == (y > 0) {
			return Int(d)
		}
	case '*':
		if x == 0 || y == 0 {
			return Int(0)
		}
		if p := x * y; p/y == x && !(x == math.MinInt64 && y == -1) && !(y == math.MinInt64 && x == -1) {
			return Int(p)
		}
	case '/':
		if y != 0 && !(x == math.MinInt64 && y == -1) {
			return Int(x / y)
		}
	case '%':
		if y == -1 {
			return Int(0)
		}
		if y != 0 {
			return Int(x % y)
		}
	}
	return Null
}

// Neg is the unary "-".
func Neg(v Value) Value { return Arith('-', Int(0), v) }
