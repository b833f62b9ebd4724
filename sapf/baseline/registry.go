package baseline

import (
	"fmt"
	"slices"
	"strings"

	"sapf/models/nearest"
	"sapf/sapf"
	"sapf/sapf/attack"
)

// Entry describes one attack of the registry.
type Entry struct {
	// Name is what --method, specifications and results call the attack.
	Name string
	// About says in a line what it does.
	About string
	// Paper is the citation.
	Paper string
	// Keeps says what the attack keeps small or bounds: "entries", "pixels",
	// "l1", "l2", "linf" or "patch".
	Keeps string
	// Access is what it asks of the classifier: "gradient" or "score".
	Access string
	// Targeted says whose the targeted form is: "authors" or "ours".
	Targeted string
	// New returns a fresh attack with the authors' settings.
	New func() attack.Attack
}

// registry lists every attack: the paper's own first, then in the order of its
// Table 1, then the dense ones it names, then later ones, and ours in the end.
var registry = []Entry{
	{
		Name:  "sapf",
		About: "magnitudes times a binary selection of k entries, found in turn by gradient steps and lp-box ADMM",
		Paper: "Fan et al., ECCV 2020", Keeps: "l2", Access: "gradient", Targeted: "authors",
		New: func() attack.Attack { return &sapf.Options{} },
	},
	{
		Name:  "sapf-matched",
		About: "sapf with the k that another attack (option to) needed on the same image",
		Paper: "Fan et al., ECCV 2020", Keeps: "l2", Access: "gradient", Targeted: "authors",
		New: func() attack.Attack { return &Matched{} },
	},
	{
		Name:  "cw-l0-matched",
		About: "cw-l0 ended at the count that another attack (option to) needed on the same image",
		Paper: "Carlini & Wagner, IEEE S&P 2017", Keeps: "l2", Access: "gradient", Targeted: "ours",
		New: func() attack.Attack { return &Matched{Attack: &CWL0{}} },
	},
	{
		Name:  "best-matched",
		About: "best with the k that another attack (option to) needed on the same image",
		Paper: "ours", Keeps: "l2", Access: "gradient", Targeted: "ours",
		New: func() attack.Attack { return &Matched{Attack: &Best{}} },
	},
	{
		Name:  "cw-l0",
		About: "freezes the pixels that matter least, again and again, and attacks the rest in l2",
		Paper: "Carlini & Wagner, IEEE S&P 2017", Keeps: "pixels", Access: "gradient", Targeted: "authors",
		New: func() attack.Attack { return &CWL0{} },
	},
	{
		Name:  "one-pixel",
		About: "differential evolution over the places and colours of a few pixels",
		Paper: "Su, Vargas & Sakurai, IEEE TEVC 2019", Keeps: "pixels", Access: "score", Targeted: "authors",
		New: func() attack.Attack { return &OnePixel{} },
	},
	{
		Name:  "sparsefool",
		About: "walks to a linearised boundary along few entries",
		Paper: "Modas, Moosavi-Dezfooli & Frossard, CVPR 2019", Keeps: "entries", Access: "gradient", Targeted: "ours",
		New: func() attack.Attack { return &SparseFool{} },
	},
	{
		Name:  "cornersearch",
		About: "tries the corners of the colour cube, pixel by pixel, and combines the best",
		Paper: "Croce & Hein, ICCV 2019", Keeps: "pixels", Access: "score", Targeted: "ours",
		New: func() attack.Attack { return &CornerSearch{} },
	},
	{
		Name:  "pgd-l0",
		About: "projected gradient descent onto at most k pixels",
		Paper: "Croce & Hein, ICCV 2019", Keeps: "pixels", Access: "gradient", Targeted: "ours",
		New: func() attack.Attack { return &PGDL0{} },
	},
	{
		Name:  "strattack",
		About: "group sparsity by ADMM, then l2 on the entries found",
		Paper: "Xu et al., ICLR 2019", Keeps: "l2", Access: "gradient", Targeted: "authors",
		New: func() attack.Attack { return &StrAttack{} },
	},
	{
		Name:  "jsma",
		About: "saliency maps: one pair of entries a step to its bound",
		Paper: "Papernot et al., EuroS&P 2016", Keeps: "entries", Access: "gradient", Targeted: "authors",
		New: func() attack.Attack { return &JSMA{} },
	},
	{
		Name:  "lavan",
		About: "a visible patch, optimised at a fixed place",
		Paper: "Karmon, Zoran & Goldberg, ICML 2018", Keeps: "patch", Access: "gradient", Targeted: "authors",
		New: func() attack.Attack { return &LaVAN{} },
	},
	{
		Name:  "l0-admm",
		About: "ADMM with an l0 step",
		Paper: "Zhao, Liu, Wang & Lin, ACM MM 2018", Keeps: "entries", Access: "gradient", Targeted: "authors",
		New: func() attack.Attack { return &L0ADMM{} },
	},
	{
		Name:  "cw-l2",
		About: "smallest l2 with a searched constant, in tanh space",
		Paper: "Carlini & Wagner, IEEE S&P 2017", Keeps: "l2", Access: "gradient", Targeted: "authors",
		New: func() attack.Attack { return &CWL2{} },
	},
	{
		Name:  "deepfool",
		About: "steps to the nearest linearised boundary",
		Paper: "Moosavi-Dezfooli, Fawzi & Frossard, CVPR 2016", Keeps: "l2", Access: "gradient", Targeted: "ours",
		New: func() attack.Attack { return &DeepFool{} },
	},
	{
		Name:  "fgsm",
		About: "one signed gradient step",
		Paper: "Goodfellow, Shlens & Szegedy, ICLR 2015", Keeps: "linf", Access: "gradient", Targeted: "authors",
		New: func() attack.Attack { return &FGSM{} },
	},
	{
		Name:  "pgd-linf",
		About: "signed gradient steps in a cube",
		Paper: "Madry et al., ICLR 2018", Keeps: "linf", Access: "gradient", Targeted: "authors",
		New: func() attack.Attack { return &PGDLinf{} },
	},
	{
		Name:  "sigma-zero",
		About: "a smooth stand-in for l0 with an adaptive threshold",
		Paper: "Cinà et al., ICLR 2025", Keeps: "entries", Access: "gradient", Targeted: "ours",
		New: func() attack.Attack { return &SigmaZero{} },
	},
	{
		Name:  "fmn-l0",
		About: "projections onto an l0 ball that shrinks to the boundary",
		Paper: "Pintor et al., NeurIPS 2021", Keeps: "entries", Access: "gradient", Targeted: "authors",
		New: func() attack.Attack { return &FMNL0{} },
	},
	{
		Name:  "sparse-rs",
		About: "random search over k pixels at the corners of the colour cube",
		Paper: "Croce et al., AAAI 2022", Keeps: "pixels", Access: "score", Targeted: "authors",
		New: func() attack.Attack { return &SparseRS{} },
	},
	{
		Name:  "greedyfool",
		About: "adds the best pixels, then drops what is not needed",
		Paper: "Dong et al., NeurIPS 2020", Keeps: "pixels", Access: "gradient", Targeted: "ours",
		New: func() attack.Attack { return &GreedyFool{} },
	},
	{
		Name:  "ead-l1",
		About: "elastic net: l1 and l2 by iterative shrinkage",
		Paper: "Chen et al., AAAI 2018", Keeps: "l1", Access: "gradient", Targeted: "authors",
		New: func() attack.Attack { return &EADL1{} },
	},
	{
		Name:  "saif",
		About: "magnitudes times a relaxed selection, both moved by Frank-Wolfe steps",
		Paper: "Imtiaz et al., arXiv 2212.07495", Keeps: "entries", Access: "gradient", Targeted: "authors",
		New: func() attack.Attack { return &SAIF{} },
	},
	{
		Name:  "best",
		About: "beyond the paper: its problem with exactly k entries by many short runs along the boundary; the one to use",
		Paper: "ours", Keeps: "l2", Access: "gradient", Targeted: "ours",
		New: func() attack.Attack { return &Best{} },
	},
	{
		Name:  "fewest",
		About: "beyond the paper: the fewest entries, sigma-zero and then swaps",
		Paper: "ours", Keeps: "entries", Access: "gradient", Targeted: "ours",
		New: func() attack.Attack { return &Fewest{} },
	},
}

// All returns the attacks in a fixed order.
func All() []Entry { return slices.Clone(registry) }

// Names returns the attacks' names in the order of All.
func Names() []string {
	names := make([]string, len(registry))
	for i, e := range registry {
		names[i] = e.Name
	}
	return names
}

// New returns the attack called name with its authors' settings: a pointer to
// its options struct, ready for attack.Set and Run.
func New(name string) (attack.Attack, bool) {
	for _, e := range registry {
		if e.Name == name {
			return e.New(), true
		}
	}
	return nil, false
}

// named is New with an error that names the nearest attack. It is a variable
// so that an attack of the registry can look others up there.
var named func(name string) (attack.Attack, error)

func init() { named = Named }

// Named is New with an error that says what there is.
func Named(name string) (attack.Attack, error) {
	if a, ok := New(name); ok {
		return a, nil
	}
	return nil, fmt.Errorf("unknown method %q, did you mean %q? (there are %s)", name, nearest.Of(name, Names()), strings.Join(Names(), ", "))
}
