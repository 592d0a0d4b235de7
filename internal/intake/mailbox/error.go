package mailbox

import (
	"compress/flate"
	"errors"
	"io/fs"
	"strconv"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/lang"
)

func isCorrupt(err error) bool {
	_, ok := errors.AsType[flate.CorruptInputError](err)
	return ok
}

func errEmpty() *desk.Error {
	return &desk.Error{Kind: desk.Invalid, Message: lang.M("mailbox.empty"), Hint: lang.M("mailbox.empty_hint")}
}

// errAccess says why the system does not let us read.
func errAccess(err error) *desk.Error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &desk.Error{Kind: desk.NotFound, Message: lang.M("mailbox.not_found"), Hint: lang.M("mailbox.not_found_hint"), Err: err}
	case errors.Is(err, fs.ErrPermission):
		return &desk.Error{Kind: desk.Denied, Message: lang.M("mailbox.denied"), Hint: lang.M("mailbox.denied_hint"), Err: err}
	}
	return &desk.Error{Kind: desk.Unavailable, Message: lang.M("mailbox.unreadable"), Hint: lang.M("mailbox.unreadable_hint"), Err: err}
}

func errDevice() *desk.Error {
	return &desk.Error{Kind: desk.Invalid, Message: lang.M("mailbox.device"), Hint: lang.M("mailbox.device_hint")}
}

// errNotMail says what the input is instead, and how to get at the mail.
func errNotMail(k kind) *desk.Error {
	var hint string
	switch k {
	case kindPST:
		hint = "mailbox.pst_hint"
	case kindArchive:
		hint = "mailbox.archive_hint"
	case kindText:
		hint = "mailbox.text_hint"
	default:
		hint = "mailbox.not_mail_hint"
	}
	return &desk.Error{
		Kind:    desk.Invalid,
		Message: lang.M("mailbox.not_mail", "kind", lang.M("mailbox.kind_"+string(k))),
		Hint:    lang.M(hint),
	}
}

func errNoMailInside() *desk.Error {
	return &desk.Error{Kind: desk.NotFound, Message: lang.M("mailbox.no_mail_inside"), Hint: lang.M("mailbox.no_mail_inside_hint")}
}

// What to do about an input that is too large.
const (
	hintMessage = "mailbox.too_large_hint"
	hintUnpack  = "mailbox.unpack_hint"
)

func (w *walker) errTooLarge(hint string) *desk.Error {
	return &desk.Error{
		Kind:    desk.Limit,
		Message: lang.M("mailbox.too_large", "size", bytesText(w.opts.MaxMessage)),
		Hint:    lang.M(hint),
	}
}

// bytesText writes a limit in the unit that it is set in.
func bytesText(n int) string {
	for _, u := range []struct {
		size int
		name string
	}{{1 << 20, " MiB"}, {1 << 10, " KiB"}} {
		if n >= u.size && n%u.size == 0 {
			return strconv.Itoa(n/u.size) + u.name
		}
	}
	return strconv.Itoa(n) + " B"
}

func (w *walker) errDeep() *desk.Error {
	return &desk.Error{
		Kind:    desk.Limit,
		Message: lang.M("mailbox.archive_deep", "n", w.opts.Depth),
		Hint:    lang.M(hintUnpack),
	}
}

func errTooMuch(err error) *desk.Error {
	return &desk.Error{Kind: desk.Limit, Message: lang.M("mailbox.archive_too_much"), Hint: lang.M("mailbox.archive_too_much_hint"), Err: err}
}

func errEncrypted() *desk.Error {
	return &desk.Error{Kind: desk.Invalid, Message: lang.M("mailbox.archive_encrypted"), Hint: lang.M("mailbox.archive_encrypted_hint")}
}

func errMethod(err error) *desk.Error {
	return &desk.Error{Kind: desk.Invalid, Message: lang.M("mailbox.archive_method"), Hint: lang.M(hintUnpack), Err: err}
}

func errDamaged(err error) *desk.Error {
	return &desk.Error{Kind: desk.Invalid, Message: lang.M("mailbox.damaged"), Hint: lang.M("mailbox.damaged_hint"), Err: err}
}

func errOutlook(err error) *desk.Error {
	return &desk.Error{Kind: desk.Invalid, Message: lang.M("mailbox.outlook_damaged"), Hint: lang.M("mailbox.outlook_damaged_hint"), Err: err}
}
