package sqlite_test

import (
	"testing"

	"github.com/sekisho/sekisho/internal/store/storetest"
)

func TestTokens(t *testing.T) {
	storetest.Tokens(t, func(t *testing.T, dir string) storetest.TokenStore { return open(t, dir) })
}
