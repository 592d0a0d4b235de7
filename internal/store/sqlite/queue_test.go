package sqlite_test

import (
	"testing"

	"github.com/sekisho/sekisho/internal/queue/queuetest"
)

func TestQueue(t *testing.T) {
	queuetest.Run(t, func(t *testing.T, dir string) queuetest.Queue { return open(t, dir) })
}
