package feeds

import (
	"os"
	"path/filepath"
	"strings"
)

// ListsDir returns the folder with the lists that were fetched last, below the
// folder for data; "" if there are none. The file "current" beside them names
// it.
func ListsDir(dataDir string) string {
	if dataDir == "" {
		return ""
	}
	root := filepath.Join(dataDir, "lists")
	b, err := os.ReadFile(filepath.Join(root, "current"))
	name := strings.TrimSpace(string(b))
	if err != nil || name == "" || name == ".." || name != filepath.Base(name) {
		return ""
	}
	dir := filepath.Join(root, name)
	if st, err := os.Stat(dir); err != nil || !st.IsDir() {
		return ""
	}
	return dir
}
