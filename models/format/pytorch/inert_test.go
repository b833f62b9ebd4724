package pytorch_test

import (
	"archive/zip"
	"strings"
	"testing"

	"sapf/models/format/pytorch"
)

// TestInertObjects: what a training program keeps beside the weights is passed
// over, whatever its class; functions that do something are refused, and so are
// whole networks.
func TestInertObjects(t *testing.T) {
	four := map[string][]byte{"0": {0, 0, 128, 63, 0, 0, 0, 64}}
	tensor := tensorPickle("FloatStorage", 2)
	inner := tensor[2 : len(tensor)-1] // without protocol and STOP: a dictionary
	beside := func(object string) string {
		return "\x80\x02}X\x04\x00\x00\x00args" + object + "sX\x0a\x00\x00\x00state_dict" + inner + "s."
	}
	attrs := "}X\x02\x00\x00\x00lrK\x01sb"
	for name, object := range map[string]string{
		"Namespace":           "cargparse\nNamespace\n)\x81" + attrs,
		"Namespace, old":      "ccopyreg\n_reconstructor\ncargparse\nNamespace\nc__builtin__\nobject\nN\x87R" + attrs,
		"a path":              "cpathlib\nPosixPath\nX\x01\x00\x00\x00/\x85R",
		"a dictionary's kind": "ceasydict\nEasyDict\n)\x81X\x02\x00\x00\x00lrK\x01s",
		"a list's kind":       "cmine\nLog\n)\x81K\x01a",
		"with keywords":       "cdatetime\ndatetime\n)}\x92",
		"a set":               "c__builtin__\nset\n]\x85R",
		"numpy":               "cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85X\x01\x00\x00\x00b\x87R" + attrs,
	} {
		d, err := pytorch.Read("x", torchZip(t, beside(object), zip.Store, four))
		if err != nil || len(d.Tensors) != 1 || d.Tensors[0].Data[1] != 2 {
			t.Errorf("%s: %+v, %v", name, d, err)
		}
	}
	for name, c := range map[string]struct{ object, says string }{
		"system":       {"cos\nsystem\nX\x02\x00\x00\x00id\x85R", "os.system"},
		"posix":        {"cposix\nsystem\nX\x02\x00\x00\x00id\x85R", "posix.system"},
		"eval":         {"c__builtin__\neval\nX\x01\x00\x00\x001\x85R", "eval"},
		"submodule":    {"cimportlib.util\nfind_spec\nX\x01\x00\x00\x001\x85R", "importlib.util"},
		"subprocess":   {"csubprocess\nPopen\nX\x01\x00\x00\x001\x85R", "subprocess.Popen"},
		"hub":          {"ctorch.hub\nload\nX\x01\x00\x00\x001\x85R", "torch.hub"},
		"partial call": {"cfunctools\npartial\n)R", "functools"},
	} {
		_, err := pytorch.Read("x", torchZip(t, beside(c.object), zip.Store, four))
		if err == nil || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), "nothing of the file was run") {
			t.Errorf("%s: %v, expected it to name %s", name, err, c.says)
		}
	}
	// A network in the weights' place.
	network := "\x80\x02}X\x05\x00\x00\x00modelcmine\nNet\n)\x81" + attrs + "s."
	_, err := pytorch.Read("x", torchZip(t, network, zip.Store, four))
	refused(t, err, "mine.Net", "torch.save(model.state_dict()")
	// Dictionaries within dictionaries.
	deep := "\x80\x02}X\x05\x00\x00\x00model" + beside("K\x01")[2:len(beside("K\x01"))-1] + "s."
	if d, err := pytorch.Read("x", torchZip(t, deep, zip.Store, four)); err != nil || len(d.Tensors) != 1 {
		t.Errorf("nested: %v", err)
	}
}
