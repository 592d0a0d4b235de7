package lists

import (
	_ "embed" // the table
	"strings"
	"sync"

	"github.com/sekisho/sekisho/dmarcreport/source"
)

//go:embed mail_services.csv
var mailServicesCSV string

// MailServices returns the services that send, receive or pass on mail, and how
// their mail is told in reports on DMARC.
func MailServices() *source.Catalogue { return mailServices() }

var mailServices = sync.OnceValue(func() *source.Catalogue {
	c, err := source.ParseCatalogue(strings.NewReader(mailServicesCSV))
	if err != nil {
		panic(err) // the table is checked by a test
	}
	return c
})
