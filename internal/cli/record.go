package cli

import (
	"fmt"

	"github.com/sekisho/sekisho/internal/desk"
)

// present writes one exception as the output format asks, calling text for
// people.
func (r *run) present(e desk.Exception, text func()) error {
	if r.flags.Output == "text" {
		text()
		return nil
	}
	return r.writeRecord(record(e, r.Now()))
}

func presentList(r *run, list []desk.Exception, text func()) error {
	records := make([]exceptionRecord, 0, len(list))
	for _, e := range list {
		records = append(records, record(e, r.Now()))
	}
	return writeRecords(r, records, text)
}

// writeRecord writes one record as JSON.
func (r *run) writeRecord(v any) error {
	indent := "  "
	if r.flags.Output == "ndjson" {
		indent = ""
	}
	b, err := marshal(v, "", indent)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(r.Stdout, "%s\n", b)
	return err
}

// writeRecords writes records as a JSON array or one on each line, or calls
// text for people.
func writeRecords[T any](r *run, list []T, text func()) error {
	switch r.flags.Output {
	case "text":
		text()
		return nil
	case "ndjson":
		for _, v := range list {
			if err := r.writeRecord(v); err != nil {
				return err
			}
		}
		return nil
	}
	return r.writeRecord(list)
}
