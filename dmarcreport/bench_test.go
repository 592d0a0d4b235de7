package dmarcreport_test

import (
	"bytes"
	"encoding/xml"
	"testing"

	"github.com/sekisho/sekisho/dmarcreport"
)

// plain is what most programs read of a report with encoding/xml.
type plain struct {
	Version  string `xml:"version"`
	Metadata struct {
		Org   string `xml:"org_name"`
		Email string `xml:"email"`
		ID    string `xml:"report_id"`
		Range struct {
			Begin string `xml:"begin"`
			End   string `xml:"end"`
		} `xml:"date_range"`
	} `xml:"report_metadata"`
	Policy struct {
		Domain string `xml:"domain"`
		ADKIM  string `xml:"adkim"`
		ASPF   string `xml:"aspf"`
		P      string `xml:"p"`
		SP     string `xml:"sp"`
		Pct    string `xml:"pct"`
	} `xml:"policy_published"`
	Records []struct {
		Row struct {
			Source string `xml:"source_ip"`
			Count  string `xml:"count"`
			Policy struct {
				Disposition string `xml:"disposition"`
				DKIM        string `xml:"dkim"`
				SPF         string `xml:"spf"`
				Reasons     []struct {
					Type    string `xml:"type"`
					Comment string `xml:"comment"`
				} `xml:"reason"`
			} `xml:"policy_evaluated"`
		} `xml:"row"`
		Identifiers struct {
			HeaderFrom   string `xml:"header_from"`
			EnvelopeFrom string `xml:"envelope_from"`
			EnvelopeTo   string `xml:"envelope_to"`
		} `xml:"identifiers"`
		Auth struct {
			DKIM []struct {
				Domain   string `xml:"domain"`
				Selector string `xml:"selector"`
				Result   string `xml:"result"`
			} `xml:"dkim"`
			SPF []struct {
				Domain string `xml:"domain"`
				Scope  string `xml:"scope"`
				Result string `xml:"result"`
			} `xml:"spf"`
		} `xml:"auth_results"`
	} `xml:"record"`
}

// bench reads all reports once for each turn and reports records and reports a
// second.
func bench(b *testing.B, docs [][]byte, read func([]byte) (int, error)) {
	b.Helper()
	size, records := 0, 0
	for _, d := range docs {
		size += len(d)
	}
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		records = 0
		for _, d := range docs {
			n, err := read(d)
			if err != nil {
				b.Fatal(err)
			}
			records += n
		}
	}
	perSecond := float64(b.N) / b.Elapsed().Seconds()
	b.ReportMetric(float64(records)*perSecond, "records/s")
	b.ReportMetric(float64(len(docs))*perSecond, "reports/s")
}

func corpus(b *testing.B) [][]byte {
	b.Helper()
	var docs [][]byte
	for _, d := range aggregates(b) {
		docs = append(docs, d)
	}
	return docs
}

func BenchmarkAggregate(b *testing.B) {
	bench(b, corpus(b), func(d []byte) (int, error) {
		a, err := dmarcreport.ParseAggregate(d)
		if err != nil {
			return 0, err
		}
		return len(a.Records), nil
	})
}

func BenchmarkReader(b *testing.B) { readAll(b, corpus(b)) }

func BenchmarkEncodingXML(b *testing.B) {
	bench(b, corpus(b), func(d []byte) (int, error) {
		var p plain
		err := xml.Unmarshal(bytes.TrimPrefix(d, []byte("\xef\xbb\xbf")), &p)
		return len(p.Records), err
	})
}

// readAll reads packed reports with one reader.
func readAll(b *testing.B, docs [][]byte) {
	r := dmarcreport.NewReader(nil)
	bench(b, docs, func(d []byte) (int, error) {
		n := 0
		for f := range r.Read(bytes.NewReader(d)) {
			if f.Err != nil {
				return 0, f.Err
			}
			n += len(f.Aggregate.Records)
		}
		return n, nil
	})
}

func packed(b *testing.B) [][]byte {
	var docs [][]byte
	for _, d := range corpus(b) {
		docs = append(docs, []byte(gz(string(d))))
	}
	return docs
}

func BenchmarkGzip(b *testing.B) { readAll(b, packed(b)) }

func BenchmarkMail(b *testing.B) {
	var docs [][]byte
	for _, d := range packed(b) {
		docs = append(docs, []byte(mail("Content-Type: application/gzip; name=r.xml.gz", "base64", string(d))))
	}
	readAll(b, docs)
}
