package remote

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"os"

	"sapf/models"
	"sapf/models/data"
	"sapf/sapf/sweep"
	"sapf/sapf/sweep/queue"
	"sapf/sapf/sweep/queue/natsq"
	"sapf/sapf/sweep/runs"
	"sapf/sapf/sweep/spec"
)

// furnish puts what workers need into the server: plan, models, images, marks of
// what is done, and last the terms.
func (h *hub) furnish(ctx context.Context, q *natsq.Queue) error {
	p := h.dir.Plan
	if err := q.PutBlob(ctx, h.terms.Plan, h.plan); err != nil {
		return err
	}
	for _, m := range p.Models {
		raw, err := modelFile(m)
		if err != nil {
			return err
		}
		if raw != nil {
			if err := q.PutBlob(ctx, m.SHA256, raw); err != nil {
				return err
			}
		}
	}
	e := &runs.Executor{Plan: p, Catalogue: h.Catalogue}
	sent := map[int]bool{}
	for _, g := range h.tally.Missing(h.groups) {
		for _, u := range g.Units {
			if !sent[u.Image] {
				sent[u.Image] = true
				_, tasks, err := e.Tasks([]spec.Unit{u})
				if err != nil {
					return err
				}
				if err := q.PutBlob(ctx, p.Images[u.Image].SHA256, encodeImage(tasks[0].Image)); err != nil {
					return err
				}
			}
			raw, err := h.dir.Raw(u.Key)
			if err != nil {
				return err
			}
			if raw != nil { // others of its group are missing
				h.tally.Take(queue.Result{Key: u.Key, File: raw})
				if err := q.Mark(ctx, u.Key, raw); err != nil {
					return err
				}
			}
		}
	}
	return q.Announce(ctx, h.terms)
}

// modelFile is the file of a model, nil if every program has it embedded.
func modelFile(m spec.PlanModel) ([]byte, error) {
	file := m.From
	for _, l := range models.List() {
		if l.Name == m.From {
			if l.Embedded {
				return nil, nil
			}
			file = l.File
		}
	}
	raw, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil // one of invented weights
	}
	if err != nil {
		return nil, fmt.Errorf("model %s: %w", m.Name, err)
	}
	if sum := sha256.Sum256(raw); hex.EncodeToString(sum[:]) != m.SHA256 {
		return nil, fmt.Errorf("model %s: %s has changed since the sweep was planned", m.Name, file)
	}
	return raw, nil
}

// Program is the version that hub and workers must have in common.
func Program() string {
	p := sweep.Here("")
	if p.Commit != "" {
		return p.Program + " " + p.Commit
	}
	return p.Program
}

// encodeImage writes an image's shape and entries.
func encodeImage(x data.Image) []byte {
	var b bytes.Buffer
	binary.Write(&b, binary.LittleEndian, []uint32{uint32(x.C), uint32(x.H), uint32(x.W)}) // to memory
	binary.Write(&b, binary.LittleEndian, x.Pix)
	return b.Bytes()
}

// decodeImage reads what encodeImage wrote.
func decodeImage(raw []byte) (data.Image, error) {
	var shape [3]uint32
	const most = 1 << 14 // rows, columns
	if len(raw) < 12 {
		return data.Image{}, fmt.Errorf("the image is torn: %d bytes, expected its shape and entries", len(raw))
	}
	for i := range shape {
		shape[i] = binary.LittleEndian.Uint32(raw[4*i:])
	}
	if shape[0] > 3 || shape[1] > most || shape[2] > most || len(raw) != 12+4*int(shape[0])*int(shape[1])*int(shape[2]) {
		return data.Image{}, fmt.Errorf("the image is torn: %d bytes for channels, rows and columns of %v", len(raw), shape)
	}
	x := data.NewImage("", int(shape[0]), int(shape[1]), int(shape[2]))
	return x, binary.Read(bytes.NewReader(raw[12:]), binary.LittleEndian, x.Pix)
}
