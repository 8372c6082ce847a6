# included by others
CTR = docker run --rm \
	-v /run/containerd/containerd.sock:/ours/containerd.sock \
	example/ctr
