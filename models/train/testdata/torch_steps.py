"""Training steps of the C&W CIFAR network by PyTorch on the CPU, one for each line read: prints its seconds.

    python torch_steps.py THREADS BATCH

The step is that of measure_test.go: forward with dropout, cross entropy, backward, SGD with Nesterov momentum and
weight decay. Images are ready beforehand. Memory format channels_last, which is the faster one.
"""
import sys
import time
import torch
import torch.nn as nn
import torch.nn.functional as F

torch.set_num_threads(int(sys.argv[1]))
batch = int(sys.argv[2])
net = nn.Sequential(
    nn.Conv2d(3, 64, 3), nn.ReLU(), nn.Conv2d(64, 64, 3), nn.ReLU(), nn.MaxPool2d(2),
    nn.Conv2d(64, 128, 3), nn.ReLU(), nn.Conv2d(128, 128, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
    nn.Linear(3200, 256), nn.ReLU(), nn.Dropout(0.5), nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, 10),
).to(memory_format=torch.channels_last)
optimizer = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9, nesterov=True, weight_decay=5e-4)
x = (torch.rand(batch, 3, 32, 32) - 0.5).to(memory_format=torch.channels_last)
y = torch.randint(0, 10, (batch,))
print("torch", torch.__version__, flush=True)
for _ in sys.stdin:
    start = time.perf_counter()
    optimizer.zero_grad()
    F.cross_entropy(net(x), y).backward()
    optimizer.step()
    print(time.perf_counter() - start, flush=True)
