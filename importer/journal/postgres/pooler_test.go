package postgres

import (
	"context"
	"net"
	"slices"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
)

// pooler is a pooler of connections as PgBouncer is one: with the mode "transaction" a client has a session of the
// server for one transaction, otherwise until it leaves.
type pooler struct {
	t      *testing.T
	server string // URL
	shared bool   // the mode "transaction"

	mu    sync.Mutex
	free  []*pgconn.HijackedConn // the last that was used is used first
	conns []net.Conn
	wg    sync.WaitGroup
}

// startPooler returns its address, host:port.
func startPooler(t *testing.T, server string, shared bool) string {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &pooler{t: t, server: server, shared: shared}
	p.wg.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			p.keep(client)
			p.wg.Go(func() { p.serve(client) })
		}
	})
	t.Cleanup(func() {
		listener.Close()
		p.mu.Lock()
		for _, c := range p.conns {
			c.Close()
		}
		p.mu.Unlock()
		p.wg.Wait()
	})
	return listener.Addr().String()
}

func (p *pooler) keep(conn net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.conns = append(p.conns, conn)
}

// serve serves one client until it leaves.
func (p *pooler) serve(client net.Conn) {
	defer client.Close()
	front := pgproto3.NewBackend(client, client)
	if _, err := front.ReceiveStartupMessage(); err != nil {
		return
	}
	for _, m := range []pgproto3.BackendMessage{
		&pgproto3.AuthenticationOk{}, &pgproto3.ParameterStatus{Name: "server_version", Value: "15.0"},
		&pgproto3.ParameterStatus{Name: "standard_conforming_strings", Value: "on"}, &pgproto3.ParameterStatus{Name: "client_encoding", Value: "UTF8"},
		&pgproto3.BackendKeyData{ProcessID: 4711, SecretKey: []byte{1, 2, 3, 4}}, &pgproto3.ReadyForQuery{TxStatus: 'I'},
	} {
		front.Send(m)
	}
	if front.Flush() != nil {
		return
	}
	var session *pgconn.HijackedConn
	defer func() { p.release(session) }()
	for {
		request, err := front.Receive()
		if err != nil {
			return
		}
		if _, ends := request.(*pgproto3.Terminate); ends {
			return
		}
		if session == nil {
			if session = p.take(); session == nil {
				return
			}
		}
		session.Frontend.Send(request)
		switch request.(type) {
		case *pgproto3.Query, *pgproto3.Sync:
			status, ok := p.answer(front, session)
			if !ok {
				return
			}
			if p.shared && status == 'I' { // before the client knows
				p.release(session)
				session = nil
			}
			if front.Flush() != nil {
				return
			}
		}
	}
}

// answer takes what the server answers for the client, and returns the state of the transaction.
func (p *pooler) answer(front *pgproto3.Backend, session *pgconn.HijackedConn) (status byte, ok bool) {
	if session.Frontend.Flush() != nil {
		return 0, false
	}
	for {
		m, err := session.Frontend.Receive()
		if err != nil {
			return 0, false
		}
		front.Send(m)
		if ready, ends := m.(*pgproto3.ReadyForQuery); ends {
			return ready.TxStatus, true
		}
	}
}

func (p *pooler) take() *pgconn.HijackedConn {
	p.mu.Lock()
	if n := len(p.free); n > 0 {
		session := p.free[n-1]
		p.free = slices.Delete(p.free, n-1, n)
		p.mu.Unlock()
		return session
	}
	p.mu.Unlock()
	conn, err := pgconn.Connect(context.Background(), p.server)
	if err != nil {
		p.t.Error(err)
		return nil
	}
	session, err := conn.Hijack()
	if err != nil {
		p.t.Error(err)
		return nil
	}
	p.keep(session.Conn)
	return session
}

// release gives a session to others. In the mode "session" it is reset first, as PgBouncer does.
func (p *pooler) release(session *pgconn.HijackedConn) {
	if session == nil {
		return
	}
	if !p.shared {
		session.Conn.Close()
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.free = append(p.free, session)
}

func TestPooler(t *testing.T) {
	database := migrated(t)
	name := databaseOf(t, database)
	behind := func(address string) string { return "postgres://postgres@" + address + "/" + name + "?sslmode=disable" }

	url := behind(startPooler(t, database, true))
	refused(t, url, "is behind a pooler that gives each transaction another session", "pool_mode = session")
	if _, err := Migrate(t.Context(), url, Options{}); err == nil {
		t.Error("it can be migrated")
	}
	opened(t, behind(startPooler(t, database, false)))
}
