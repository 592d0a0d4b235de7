// Package patch compares what runs in an organisation with what its makers have
// released, and says what is behind, by which updates and until when.
//
// The rules are those that a naive comparison of versions gets wrong:
//
//   - The build of Windows does not name the product: Windows 11 24H2 and Windows
//     Server 2025 share build 26100 and have revisions of their own.
//   - Devices with hotpatches carry lower revisions than others and are patched.
//     Where hotpatches exist, a revision that nobody listed gets no verdict.
//   - A preview raises what is newest, not what is required.
//   - MSRC's documents name wrong builds. A build that belongs to another product
//     is not believed, corrections are data, and where sources disagree both are
//     shown and nothing is chosen.
//   - What is no longer looked after is told apart from what is, and from what is
//     looked after for those who pay.
//   - A device that did not report lately is not "behind": nobody knows.
//   - Each channel of Office has requirements of its own.
//
// The package is pure: facts, inventory and the time are passed in. Room release
// reads the documents of others into [Facts], room inventory reads lists of
// devices and software, and room calendar says when updates come.
package patch
