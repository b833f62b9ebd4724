package main

import (
	"container/list"
	"fmt"
	"strings"
)

type LRU[K comparable, V any] struct {
	cap     int
	ll      *list.List
	items   map[K]*list.Element
	onEvict func(K, V)
	hits    int
}

type entry[K comparable, V any] struct {
	key K
	val V
}

func NewLRU[K comparable, V any](n int, f func(K, V)) *LRU[K, V] {
	return &LRU[K, V]{cap: n, ll: list.New(), items: make(map[K]*list.Element), onEvict: f}
}

func (c *LRU[K, V]) Get(k K) (v V, ok bool) {
	if e, hit := c.items[k]; hit {
		c.ll.MoveToFront(e)
		c.hits++
		return e.Value.(*entry[K, V]).val, true
	}
	return
}

func (c *LRU[K, V]) Put(k K, v V) {
	if e, ok := c.items[k]; ok {
		e.Value.(*entry[K, V]).val = v
		c.ll.MoveToFront(e)
		return
	}
	c.items[k] = c.ll.PushFront(&entry[K, V]{k, v})
	if c.ll.Len() > c.cap {
		last := c.ll.Back()
		e := c.ll.Remove(last).(*entry[K, V])
		delete(c.items, e.key)
		if c.onEvict != nil {
			c.onEvict(e.key, e.val)
		}
	}
}

func (c *LRU[K, V]) Keys() (out []K) {
	for e := c.ll.Front(); e != nil; e = e.Next() {
		out = append(out, e.Value.(*entry[K, V]).key)
	}
	return
}

type point struct{ x, y int }

func main() {
	var gone []string
	c := NewLRU(2, func(k string, v int) { gone = append(gone, fmt.Sprint(k, "=", v)) })
	for i, w := range strings.Fields("a b a c d a") {
		if v, ok := c.Get(w); ok {
			fmt.Println("hit", w, v)
		}
		c.Put(w, i)
	}
	fmt.Println(c.Keys(), gone, c.hits, len(c.items))
	p := NewLRU[point, []string](1, nil)
	p.Put(point{1, 2}, []string{"x"})
	v, ok := p.Get(point{1, 2})
	fmt.Println(v, ok)
	_, ok = p.Get(point{2, 1})
	fmt.Println(ok)
	fmt.Printf("%T %T\n", p, c)
	fmt.Printf("%v\n", p.Keys())
}
