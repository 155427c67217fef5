// Package dispatch runs jobs on a fixed number of goroutines and stops without losing one.
package dispatch

import (
	"context"
	"errors"
	"sync"
)

// ErrClosed is returned by Submit after Shutdown has begun.
var ErrClosed = errors.New("dispatch: pool is shutting down")

// Job is one piece of work.
type Job func(ctx context.Context) error

// Pool is a bounded queue in front of a few workers.
type Pool struct {
	mu     sync.RWMutex
	closed bool
	jobs   chan Job
	wg     sync.WaitGroup
	cancel context.CancelFunc
	onFail func(error)
}

// New starts the workers.
func New(workers, backlog int, onFail func(error)) *Pool {
	ctx, cancel := context.WithCancel(context.Background())
	p := &Pool{jobs: make(chan Job, backlog), cancel: cancel, onFail: onFail}
	p.wg.Add(workers)
	for i := 0; i < workers; i++ {
		go p.run(ctx)
	}
	return p
}

func (p *Pool) run(ctx context.Context) {
	defer p.wg.Done()
	for job := range p.jobs {
		if err := job(ctx); err != nil && p.onFail != nil {
			p.onFail(err)
		}
	}
}

// Submit blocks while the backlog is full: back pressure instead of unbounded memory.
func (p *Pool) Submit(ctx context.Context, job Job) error {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if p.closed {
		return ErrClosed
	}
	select {
	case p.jobs <- job:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Shutdown lets queued jobs finish; when ctx ends first, running ones are told to stop.
func (p *Pool) Shutdown(ctx context.Context) error {
	p.mu.Lock()
	if !p.closed {
		p.closed = true
		close(p.jobs)
	}
	p.mu.Unlock()
	done := make(chan struct{})
	go func() {
		p.wg.Wait()
		close(done)
	}()
	select {
	case <-done:
		p.cancel()
		return nil
	case <-ctx.Done():
		p.cancel()
		<-done
		return ctx.Err()
	}
}
