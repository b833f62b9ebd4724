package baseline

import (
	"slices"

	"sapf/sapf"
)

// Entry describes one attack of the registry.
type Entry struct {
	// Name is what --method and results call the attack.
	Name string
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
	New func() sapf.Attack
}

// registry lists the attacks in the order of the paper's Table 1, then the
// dense ones it names, then later ones.
var registry = []Entry{
	{"cw-l0", "Carlini & Wagner, IEEE S&P 2017", "pixels", "gradient", "authors", func() sapf.Attack { return &CWL0{} }},
	{"one-pixel", "Su, Vargas & Sakurai, IEEE TEVC 2019", "pixels", "score", "authors", func() sapf.Attack { return &OnePixel{} }},
	{"sparsefool", "Modas, Moosavi-Dezfooli & Frossard, CVPR 2019", "entries", "gradient", "ours", func() sapf.Attack { return &SparseFool{} }},
	{"cornersearch", "Croce & Hein, ICCV 2019", "pixels", "score", "ours", func() sapf.Attack { return &CornerSearch{} }},
	{"pgd-l0", "Croce & Hein, ICCV 2019", "pixels", "gradient", "ours", func() sapf.Attack { return &PGDL0{} }},
	{"strattack", "Xu et al., ICLR 2019", "l2", "gradient", "authors", func() sapf.Attack { return &StrAttack{} }},
	{"jsma", "Papernot et al., EuroS&P 2016", "entries", "gradient", "authors", func() sapf.Attack { return &JSMA{} }},
	{"lavan", "Karmon, Zoran & Goldberg, ICML 2018", "patch", "gradient", "authors", func() sapf.Attack { return &LaVAN{} }},
	{"l0-admm", "Zhao, Liu, Wang & Lin, ACM MM 2018", "entries", "gradient", "authors", func() sapf.Attack { return &L0ADMM{} }},
	{"cw-l2", "Carlini & Wagner, IEEE S&P 2017", "l2", "gradient", "authors", func() sapf.Attack { return &CWL2{} }},
	{"deepfool", "Moosavi-Dezfooli, Fawzi & Frossard, CVPR 2016", "l2", "gradient", "ours", func() sapf.Attack { return &DeepFool{} }},
	{"fgsm", "Goodfellow, Shlens & Szegedy, ICLR 2015", "linf", "gradient", "authors", func() sapf.Attack { return &FGSM{} }},
	{"pgd-linf", "Madry et al., ICLR 2018", "linf", "gradient", "authors", func() sapf.Attack { return &PGDLinf{} }},
	{"sigma-zero", "Cinà et al., ICLR 2025", "entries", "gradient", "ours", func() sapf.Attack { return &SigmaZero{} }},
	{"fmn-l0", "Pintor et al., NeurIPS 2021", "entries", "gradient", "authors", func() sapf.Attack { return &FMNL0{} }},
	{"sparse-rs", "Croce et al., AAAI 2022", "pixels", "score", "authors", func() sapf.Attack { return &SparseRS{} }},
	{"greedyfool", "Dong et al., NeurIPS 2020", "pixels", "gradient", "ours", func() sapf.Attack { return &GreedyFool{} }},
	{"ead-l1", "Chen et al., AAAI 2018", "l1", "gradient", "authors", func() sapf.Attack { return &EADL1{} }},
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
// its options struct, ready for Set and Run.
func New(name string) (sapf.Attack, bool) {
	for _, e := range registry {
		if e.Name == name {
			return e.New(), true
		}
	}
	return nil, false
}
