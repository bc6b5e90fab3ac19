"""What the kernel of this machine tells of a container: cgroup files and /proc."""
