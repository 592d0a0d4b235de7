-- What miltertest asks: see miltertest(8).
conn = mt.connect(socket)
if conn == nil then error "no connection" end

function mail(subject, code)
	if mt.mailfrom(conn, "<a@sender.test>") ~= nil then error "mailfrom" end
	if mt.getreply(conn) ~= SMFIR_CONTINUE then error "mailfrom: no continue" end
	if mt.rcptto(conn, "<b@kiso-works.example>") ~= nil then error "rcptto" end
	if mt.getreply(conn) ~= SMFIR_CONTINUE then error "rcptto: no continue" end
	if mt.header(conn, "From", "a@sender.test") ~= nil then error "header" end
	if mt.getreply(conn) ~= SMFIR_CONTINUE then error "header: no continue" end
	if mt.header(conn, "Subject", subject) ~= nil then error "header" end
	if mt.getreply(conn) ~= SMFIR_CONTINUE then error "header: no continue" end
	if mt.header(conn, "X-Sekisho-Verdict", "clean") ~= nil then error "header" end
	if mt.getreply(conn) ~= SMFIR_CONTINUE then error "header: no continue" end
	if mt.eoh(conn) ~= nil then error "eoh" end
	if mt.getreply(conn) ~= SMFIR_CONTINUE then error "eoh: no continue" end
	if mt.bodystring(conn, "hello\r\n") ~= nil then error "body" end
	if mt.getreply(conn) ~= SMFIR_CONTINUE then error "body: no continue" end
	if mt.eom(conn) ~= nil then error "eom" end
	if mt.getreply(conn) ~= code then
		mt.echo(subject .. ": the answer is " .. mt.getreply(conn))
		error(subject .. ": another answer")
	end
end

if mt.conninfo(conn, "client.test", "192.0.2.7") ~= nil then error "conninfo" end
if mt.getreply(conn) ~= SMFIR_CONTINUE then error "conninfo: no continue" end
if mt.helo(conn, "helo.client.test") ~= nil then error "helo" end
if mt.getreply(conn) ~= SMFIR_CONTINUE then error "helo: no continue" end

mail("hello", SMFIR_ACCEPT)
if not mt.eom_check(conn, MT_HDRINSERT, "Authentication-Results") then error "no results" end
if not mt.eom_check(conn, MT_HDRADD, "X-Sekisho-Verdict") then error "no verdict" end
if not mt.eom_check(conn, MT_HDRDELETE, "X-Sekisho-Verdict") then error "a forged verdict is left" end

mail("suspicious", SMFIR_ACCEPT)
if not mt.eom_check(conn, MT_QUARANTINE) then error "not held" end

mail("malicious", SMFIR_REPLYCODE)

mail("error", SMFIR_ACCEPT)
if mt.eom_check(conn, MT_HDRINSERT, "Authentication-Results") then error "results out of nothing" end

mt.disconnect(conn)
