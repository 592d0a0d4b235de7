package cli

import "fmt"

type versionCmd struct{}

type versionRecord struct {
	Schema   string `json:"schema"`
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"`
	Time     string `json:"time,omitempty"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

// Run prints the version.
func (c *versionCmd) Run(r *run) error {
	b := r.Build
	if b.Version == "" {
		b.Version = "(devel)"
	}
	if r.flags.Output != "text" {
		return r.writeRecord(versionRecord{"sekisho.version/v1", b.Version, b.Revision, b.Time, b.Go, b.Platform})
	}
	line := "sekisho " + b.Version
	if b.Revision != "" {
		line += " (" + b.Revision[:min(12, len(b.Revision))] + ")"
	}
	_, err := fmt.Fprintf(r.Stdout, "%s %s %s\n", line, b.Go, b.Platform)
	return err
}
