package graph

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/lang"
)

// Saved keeps what outlives the program of a sign-in. [desk.MailboxTokens] does.
type Saved interface {
	Load(ctx context.Context) ([]byte, error)
	Save(ctx context.Context, token []byte) error
}

// Credentials say as whom tokens are asked for.
type Credentials struct {
	Cloud  Cloud
	Tenant string // GUID or domain of the directory
	Client string // ID of the application
	Secret string // of an application that signs in by itself; "": somebody signs in with a code
	Scopes []string
}

// Tokens gets access tokens from Microsoft Entra ID, by the refresh token of
// somebody who signed in with a code (RFC 8628), or by the secret of an
// application (RFC 6749 section 4.4). Access tokens stay in memory; only the
// refresh token is kept. It is safe for concurrent use.
type Tokens struct {
	c     Credentials
	o     *Options
	saved Saved
	host  string
	base  string // of the addresses of the tenant

	mu      sync.Mutex
	current *oauth2.Token
}

// expiresEarly is how long before its end a token is renewed.
const expiresEarly = 2 * time.Minute

// NewTokens returns the tokens of c. With a secret, saved may be nil.
func NewTokens(c Credentials, saved Saved, o *Options) (*Tokens, error) {
	o = o.withDefaults()
	u, err := root(c.Cloud.Login, o.Loopback)
	if err != nil {
		return nil, err
	}
	if c.Tenant == "" || c.Client == "" || strings.ContainsAny(c.Tenant, "/?#%\\ ") {
		return nil, &desk.Error{Kind: desk.Invalid, Message: lang.M("graph.error.credentials"), Hint: lang.M("graph.hint.register")}
	}
	return &Tokens{c: c, o: o, saved: saved, host: u.Host, base: c.Cloud.Login + "/" + url.PathEscape(c.Tenant) + "/oauth2/v2.0/"}, nil
}

func (t *Tokens) config() *oauth2.Config {
	return &oauth2.Config{ClientID: t.c.Client, Scopes: t.c.Scopes, Endpoint: oauth2.Endpoint{
		TokenURL: t.base + "token", DeviceAuthURL: t.base + "devicecode", AuthStyle: oauth2.AuthStyleInParams,
	}}
}

func (t *Tokens) with(ctx context.Context) context.Context {
	return context.WithValue(ctx, oauth2.HTTPClient, t.o.client())
}

// Token returns an access token. Errors are [*desk.Error]: Denied where somebody
// has to sign in or the secret is wrong, Unavailable where the network is.
func (t *Tokens) Token(ctx context.Context) (string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.current != nil && t.o.Now().Add(expiresEarly).Before(t.current.Expiry) {
		return t.current.AccessToken, nil
	}
	limited, cancel := context.WithTimeout(t.with(ctx), t.o.Timeout)
	defer cancel()
	if t.c.Secret != "" {
		app := &clientcredentials.Config{ClientID: t.c.Client, ClientSecret: t.c.Secret, TokenURL: t.base + "token", Scopes: t.c.Scopes, AuthStyle: oauth2.AuthStyleInParams}
		tok, err := app.Token(limited)
		if err != nil {
			return "", signIn(t.host, err)
		}
		t.keep(tok)
		return tok.AccessToken, nil
	}
	refresh, err := t.saved.Load(ctx)
	if err != nil {
		return "", err
	}
	if len(refresh) == 0 {
		return "", &desk.Error{Kind: desk.Denied, Message: lang.M("graph.error.nobody"), Hint: lang.M("graph.hint.again")}
	}
	tok, err := t.config().TokenSource(limited, &oauth2.Token{RefreshToken: string(refresh)}).Token()
	if err != nil {
		return "", signIn(t.host, err)
	}
	if tok.RefreshToken != "" && tok.RefreshToken != string(refresh) {
		if err := t.saved.Save(ctx, []byte(tok.RefreshToken)); err != nil {
			return "", err
		}
	}
	t.keep(tok)
	return tok.AccessToken, nil
}

// keep remembers a token. One that does not say when it ends is not trusted for
// long.
func (t *Tokens) keep(tok *oauth2.Token) {
	t.current = tok
	if tok.Expiry.IsZero() {
		t.current.Expiry = t.o.Now().Add(2 * expiresEarly)
	}
}

// Renew forgets an access token that was refused.
func (t *Tokens) Renew(refused string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.current != nil && t.current.AccessToken == refused {
		t.current = nil
	}
}

// DeviceCode is what a person types where.
type DeviceCode struct {
	URL     string
	Code    string
	Expires time.Time
}

// SignIn lets somebody sign in with a code. It calls show, waits until they have
// done so, and keeps the refresh token.
func (t *Tokens) SignIn(ctx context.Context, show func(DeviceCode)) error {
	c := t.config()
	d, err := c.DeviceAuth(t.with(ctx))
	if err != nil {
		return signIn(t.host, err)
	}
	if u, err := url.Parse(d.VerificationURI); err != nil || u.Scheme != "https" || len(d.VerificationURI) > 200 || d.UserCode == "" || len(d.UserCode) > 50 {
		return &desk.Error{Kind: desk.Unavailable, Message: lang.M("graph.error.answer", "host", t.host)}
	}
	show(DeviceCode{URL: d.VerificationURI, Code: d.UserCode, Expires: d.Expiry})
	d.Interval = min(max(d.Interval, 1), 60)
	tok, err := c.DeviceAccessToken(t.with(ctx), d)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return signIn(t.host, err)
	}
	if tok.RefreshToken == "" {
		return &desk.Error{Kind: desk.Unavailable, Message: lang.M("graph.error.no-refresh"), Hint: lang.M("graph.hint.consent")}
	}
	t.mu.Lock()
	t.keep(tok)
	t.mu.Unlock()
	return t.saved.Save(ctx, []byte(tok.RefreshToken))
}

// Granted returns what a token lets its holder do, by what it says itself:
// delegated permissions and those of an application. It is for telling somebody
// that there is more than needed, and proves nothing. It is empty for a token
// that cannot be read.
func Granted(token string) (delegated, application []string) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 || len(parts[1]) > 64<<10 {
		return nil, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return nil, nil
	}
	var claims struct {
		Scopes string   `json:"scp"`
		Roles  []string `json:"roles"`
	}
	if json.Unmarshal(b, &claims) != nil {
		return nil, nil
	}
	for _, r := range claims.Roles {
		application = append(application, clip(r))
	}
	return strings.Fields(clip(claims.Scopes)), application
}

// TooMuch returns which permissions of a token are more than sekisho needs: of
// an application any that Entra ID grants, because those hold for all mailboxes.
func TooMuch(token string) []string {
	delegated, application := Granted(token)
	needed := []string{"Mail.Read", "Mail.Read.Shared", "IMAP.AccessAsUser.All", "User.Read", "openid", "profile", "email", "offline_access"}
	out := slices.DeleteFunc(delegated, func(s string) bool { return slices.Contains(needed, s) })
	return append(out, slices.DeleteFunc(application, func(s string) bool { return s == "IMAP.AccessAsApp" })...)
}

// String keeps secrets out of what is printed.
func (c Credentials) String() string { return fmt.Sprintf("%s at %s", c.Client, c.Tenant) }

// GoString is the same for %#v.
func (c Credentials) GoString() string { return c.String() }
