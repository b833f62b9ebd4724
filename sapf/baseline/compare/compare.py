"""Runs other libraries' attacks on the C&W network and 20 CIFAR-10 images.

    pip install torch==2.* adv-lib==0.2.8 torchattacks==3.5.1 foolbox==3.3.4 adversarial-robustness-toolbox==1.20.1
    python compare.py $SAPF_DATA reference.json [case ...]

Writes one record a case; `go run ./sapf/baseline/compare` runs ours beside it.
The images are the first 20 test records that the network classifies rightly,
the target of a targeted case is the next class. Norms are those of the image
that came back, entries counted as changed if they differ at all.
"""
import importlib, json, math, pathlib, sys, time, types

import numpy as np
import torch
import torch.nn as nn

visdom = types.ModuleType("visdom")  # adv-lib imports it for its plots
visdom.Visdom = object
sys.modules.setdefault("visdom", visdom)

import adv_lib.attacks as adv_lib
import foolbox
import torchattacks

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "models" / "engine" / "bench"))
from compare_pytorch import CW

torch.set_num_threads(1)
torch.manual_seed(0)
np.random.seed(0)
data, out, only = sys.argv[1], sys.argv[2], sys.argv[3:]


model = CW()
model.load_state_dict(torch.load(data + "/models/cwnet.pth", weights_only=True))
model.eval().requires_grad_(False)
raw = np.fromfile(data + "/data/cifar-10-batches-bin/test_batch.bin", np.uint8).reshape(-1, 3073)[:100]
images = torch.from_numpy(raw[:, 1:].reshape(-1, 3, 32, 32).astype("f4") / np.float32(255))
labels = torch.from_numpy(raw[:, 0].astype("i8"))
records = torch.nonzero(model(images).argmax(1) == labels)[:20, 0]
x, y = images[records], labels[records]
t = (y + 1) % 10
fmodel = foolbox.PyTorchModel(model, bounds=(0, 1), device="cpu")


def targeted_attack(attack):
    attack.set_mode_targeted_by_label(quiet=True)
    return attack


def ead(goal, steps):
    a = foolbox.attacks.EADAttack(steps=steps, regularization=1e-3, decision_rule="L1", abort_early=False)
    criterion = foolbox.criteria.TargetedMisclassification(t) if goal == "targeted" else foolbox.criteria.Misclassification(y)
    return a(fmodel, x, criterion, epsilons=None)[1]


def sigma_zero(steps):
    """adv-lib's, with the step size that the authors use for the threshold: theirs
    lags by one step. The cosine of the schedule is what is shifted."""
    module = importlib.import_module("adv_lib.attacks.sigma_zero")
    module.math = types.SimpleNamespace(pi=math.pi, cos=lambda v: math.cos(v + math.pi / steps))
    return module.sigma_zero(model, x, y, num_steps=steps)


def art_l0(goal, **kw):
    from art.attacks.evasion import CarliniL0Method
    from art.estimators.classification import PyTorchClassifier
    c = PyTorchClassifier(model, nn.CrossEntropyLoss(), (3, 32, 32), 10, clip_values=(0, 1))
    a = CarliniL0Method(c, targeted=goal == "targeted", verbose=False, **kw)
    return torch.from_numpy(a.generate(x.numpy(), (t if goal == "targeted" else y).numpy()))


def pgd0(goal, k, steps=100, restarts=2, step=120000 / 255):
    """Croce & Hein's PGD0, written here from the paper: no package has it."""
    sign = -1 if goal == "targeted" else 1
    ref = t if goal == "targeted" else y
    best, smallest = x.clone(), torch.full((len(x),), math.inf)
    for _ in range(restarts):
        adv = project(x + (torch.rand_like(x) * 2 - 1), k)
        for _ in range(steps - 1):
            adv.requires_grad_(True)
            z = model(adv)
            g = torch.autograd.grad(nn.functional.cross_entropy(z, ref, reduction="sum"), adv)[0]
            adv = adv.detach()
            hit = z.argmax(1) == t if goal == "targeted" else z.argmax(1) != y
            size = (adv - x).flatten(1).norm(dim=1)
            hit &= size < smallest
            best[hit], smallest[hit] = adv[hit], size[hit]
            adv = project(adv + sign * step * g / (1e-10 + g.abs().sum((1, 2, 3), keepdim=True)), k)
    return best


def project(adv, k):
    d = adv - x
    inside = adv.clamp(0, 1) - x
    gain = (d ** 2 - (d - inside) ** 2).sum(1).flatten(1)
    keep = torch.zeros_like(gain).scatter_(1, gain.topk(k).indices, 1).view(-1, 1, 32, 32)
    return x + inside * keep


def goal_of(goal):
    return dict(labels=t if goal == "targeted" else y, targeted=goal == "targeted")


# case, goal: library, our options, run
cases = {
    ("fgsm", "untargeted"): ("torchattacks", {"epsilon": 2 / 255}, lambda g: torchattacks.FGSM(model, eps=2 / 255)(x, y)),
    ("pgd-linf", "untargeted"): ("torchattacks", {"epsilon": 1 / 255, "step_size": 0.25 / 255, "no_early_stop": True},
                                 lambda g: torchattacks.PGD(model, eps=1 / 255, alpha=0.25 / 255, steps=20)(x, y)),
    ("pgd-linf", "targeted"): ("torchattacks", {"epsilon": 2 / 255, "step_size": 0.5 / 255, "no_early_stop": True},
                               lambda g: targeted_attack(torchattacks.PGD(model, eps=2 / 255, alpha=0.5 / 255, steps=20))(x, t)),
    ("deepfool", "untargeted"): ("adv-lib", {}, lambda g: adv_lib.df(model, x, y, steps=50, return_unsuccessful=True)),
    ("sparsefool", "untargeted"): ("torchattacks", {}, lambda g: torchattacks.SparseFool(model, steps=20, lam=3)(x, y)),
    ("sigma-zero", "untargeted"): ("adv-lib, lag removed", {"steps": 500}, lambda g: sigma_zero(500)),
    ("one-pixel", "untargeted"): ("torchattacks", {}, lambda g: torchattacks.OnePixel(model, pixels=1, steps=75, popsize=80)(x, y)),
    ("jsma", "targeted"): ("torchattacks", {}, lambda g: targeted_attack(torchattacks.JSMA(model, theta=1.0, gamma=1.0))(x, t)),
}
for g in ("untargeted", "targeted"):
    cases["fmn-l0", g] = ("adv-lib", {"steps": 500}, lambda g: adv_lib.fmn(model, x, norm=0, steps=500, **goal_of(g)))
    cases["cw-l2", g] = ("adv-lib", {"steps": 200}, lambda g: adv_lib.carlini_wagner_l2(model, x, max_iterations=200, **goal_of(g)))
    cases["ead-l1", g] = ("foolbox", {"steps": 60, "no_early_abort": True}, lambda g: ead(g, 60))
    cases["pgd-l0", g] = ("written from the paper", {"k": 10, "restarts": 2, "all_restarts": True}, lambda g: pgd0(g, 10))
    cases["strattack", g] = ("adv-lib", {"preset": "adversarial-library", "steps": 100, "no_refine": True},
                             lambda g: adv_lib.str_attack(model, x, max_iterations=100, retrain=False, **goal_of(g)))
    cases["cw-l0", g] = ("art", {"steps": 1000}, lambda g: art_l0(g, max_iter=1000, initial_const=1e-3, binary_search_steps=5))

try:
    done = json.load(open(out))
except FileNotFoundError:
    done = []
for (name, goal), (library, options, attack) in cases.items():
    if only and name not in only or any(r["attack"] == name and r["goal"] == goal for r in done):
        continue
    start = time.time()
    adv = attack(goal).detach().float().clamp(0, 1)
    seconds = time.time() - start
    p = model(adv).argmax(1)
    hit = p == t if goal == "targeted" else p != y
    rows = []
    for i in range(len(x)):
        d = (adv[i].double() - x[i].double())
        rows.append({"record": int(records[i]), "success": bool(hit[i]), "l0": int((d != 0).sum()),
                     "l0_pixels": int((d != 0).any(0).sum()), "l1": float(d.abs().sum()),
                     "l2": float(d.norm()), "linf": float(d.abs().max())})
    done.append({"attack": name, "goal": goal, "library": library, "set": {k: str(v).lower() for k, v in options.items()},
                 "seconds": round(seconds, 1), "images": rows})
    with open(out, "w") as f:  # one image a line, to be read in a diff
        f.write("[\n " + ",\n ".join(
            json.dumps({k: v for k, v in r.items() if k != "images"})[:-1] + ', "images": [\n  '
            + ",\n  ".join(map(json.dumps, r["images"])) + "\n ]}" for r in done) + "\n]\n")
    ok = [r for r in rows if r["success"]]
    print(name, goal, library, f"{len(ok)}/20", "l0", np.median([r["l0"] for r in ok]) if ok else None,
          "l2", np.median([r["l2"] for r in ok]) if ok else None, f"{seconds:.0f}s", flush=True)
