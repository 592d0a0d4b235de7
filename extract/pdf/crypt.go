package pdf

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/md5" //nolint:gosec // what the format uses
	"crypto/rc4" //nolint:gosec // what the format uses
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
)

// crypt is the standard security handler (7.6.3) with the empty user password,
// which viewers try by themselves.
type crypt struct {
	key         []byte
	aesStreams  bool
	aesStrings  bool
	plainStream bool
	plainString bool
	v5          bool
}

// padding is the password padding of algorithm 2.
var padding = []byte("\x28\xBF\x4E\x5E\x4E\x75\x8A\x41\x64\x00\x4E\x56\xFF\xFA\x01\x08\x2E\x2E\x00\xB6\xD0\x68\x3E\x80\x2F\x0C\xA9\xFE\x64\x53\x69\x7A")

// unlock makes the key of an encrypted document. A document that needs a
// password is locked.
func (f *file) unlock() {
	if f.trailer["Encrypt"] == nil {
		return
	}
	enc, _ := f.resolve(f.trailer["Encrypt"]).(dict)
	if enc == nil {
		return
	}
	f.doc.Encrypted, f.doc.Locked = true, true
	integer := func(key name) int { n, _ := f.resolve(enc[key]).(int); return n }
	text := func(key name) []byte { s, _ := f.resolve(enc[key]).(str); return s }
	if filter, _ := f.resolve(enc["Filter"]).(name); filter != "Standard" {
		return
	}
	c := &crypt{}
	v, r := integer("V"), integer("R")
	length := 40
	switch v {
	case 1:
	case 2, 3:
		if n := integer("Length"); n >= 40 && n <= 128 && n%8 == 0 {
			length = n
		}
	case 4, 5:
		length = 128
		filters := f.dictOf(enc["CF"])
		method := func(key name) (isAES, plain bool) {
			n, _ := f.resolve(enc[key]).(name)
			m, _ := f.resolve(f.dictOf(filters[n])["CFM"]).(name)
			return m == "AESV2" || m == "AESV3", n == "" || n == "Identity" || m == "None"
		}
		c.aesStreams, c.plainStream = method("StmF")
		c.aesStrings, c.plainString = method("StrF")
	default:
		return
	}
	if v == 5 {
		c.v5 = true
		c.key = keyV5(text("U"), text("UE"), r)
	} else {
		c.key = f.keyV4(text("O"), text("U"), integer("P"), r, length/8, f.resolve(enc["EncryptMetadata"]) != false)
	}
	if c.key == nil {
		return
	}
	f.doc.Locked = false
	f.crypt = c
}

// keyV4 is algorithms 2 and 6: nil if the empty password is not the one.
func (f *file) keyV4(o, u []byte, p, r, n int, metadata bool) []byte {
	if len(o) < 32 || len(u) < 16 {
		return nil
	}
	id := []byte{}
	if ids := f.list(f.trailer["ID"]); len(ids) > 0 {
		id, _ = f.resolve(ids[0]).(str)
	}
	h := md5.New() //nolint:gosec // the format's
	h.Write(padding)
	h.Write(o[:32])
	_ = binary.Write(h, binary.LittleEndian, uint32(p)) //nolint:gosec,errcheck // 32 bits as they are; a hash does not fail
	h.Write(id)
	if r >= 4 && !metadata {
		h.Write([]byte{0xff, 0xff, 0xff, 0xff})
	}
	key := h.Sum(nil)
	if r >= 3 {
		for range 50 {
			s := md5.Sum(key[:n]) //nolint:gosec // the format's
			key = s[:]
		}
	} else {
		n = 5
	}
	key = key[:n]
	// The check of the password.
	if r == 2 {
		if !bytes.Equal(rc4Apply(key, padding), u[:32]) {
			return nil
		}
		return key
	}
	h = md5.New() //nolint:gosec // the format's
	h.Write(padding)
	h.Write(id)
	x := h.Sum(nil)
	for i := range 20 {
		k := make([]byte, len(key))
		for j := range k {
			k[j] = key[j] ^ byte(i) //nolint:gosec // below 20
		}
		x = rc4Apply(k, x)
	}
	if !bytes.Equal(x, u[:16]) {
		return nil
	}
	return key
}

// keyV5 is algorithm 2.A of ISO 32000-2 for the empty password.
func keyV5(u, ue []byte, r int) []byte {
	if len(u) < 48 || len(ue) < 32 {
		return nil
	}
	hash := func(salt []byte) []byte {
		s := sha256.Sum256(salt)
		if r < 6 {
			return s[:]
		}
		return hashR6(s[:])
	}
	if !bytes.Equal(hash(u[32:40]), u[:32]) {
		return nil
	}
	block, err := aes.NewCipher(hash(u[40:48]))
	if err != nil {
		return nil
	}
	key := make([]byte, 32)
	cipher.NewCBCDecrypter(block, make([]byte, 16)).CryptBlocks(key, ue[:32])
	return key
}

// hashR6 is algorithm 2.B with the empty password.
func hashR6(k []byte) []byte {
	for i := 0; ; i++ {
		k1 := bytes.Repeat(k, 64)
		block, err := aes.NewCipher(k[:16])
		if err != nil {
			return nil
		}
		e := make([]byte, len(k1))
		cipher.NewCBCEncrypter(block, k[16:32]).CryptBlocks(e, k1)
		sum := 0
		for _, b := range e[:16] {
			sum += int(b)
		}
		switch sum % 3 {
		case 0:
			s := sha256.Sum256(e)
			k = s[:]
		case 1:
			s := sha512.Sum384(e)
			k = s[:]
		default:
			s := sha512.Sum512(e)
			k = s[:]
		}
		if i >= 63 && int(e[len(e)-1]) <= i-32 {
			return k[:32]
		}
	}
}

func rc4Apply(key, data []byte) []byte {
	c, err := rc4.NewCipher(key) //nolint:gosec // the format's
	if err != nil {
		return nil
	}
	out := make([]byte, len(data))
	c.XORKeyStream(out, data)
	return out
}

// decrypt is algorithm 1: what stands in an object.
func (c *crypt) decrypt(id ref, data []byte, isStream bool) []byte {
	isAES, plain := c.aesStrings, c.plainString
	if isStream {
		isAES, plain = c.aesStreams, c.plainStream
	}
	if plain {
		return data
	}
	key := c.key
	if !c.v5 {
		k := append(bytes.Clone(c.key), byte(id.num), byte(id.num>>8), byte(id.num>>16), byte(id.gen), byte(id.gen>>8)) //nolint:gosec // the low bytes
		if isAES {
			k = append(k, "sAlT"...)
		}
		s := md5.Sum(k) //nolint:gosec // the format's
		key = s[:min(16, len(c.key)+5)]
	}
	if !isAES && !c.v5 {
		return rc4Apply(key, data)
	}
	if len(data) < 32 || len(data)%16 != 0 {
		data = data[:len(data)/16*16]
		if len(data) < 32 {
			return nil
		}
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil
	}
	out := make([]byte, len(data)-16)
	cipher.NewCBCDecrypter(block, data[:16]).CryptBlocks(out, data[16:])
	if pad := int(out[len(out)-1]); pad >= 1 && pad <= 16 {
		out = out[:len(out)-pad]
	}
	return out
}
