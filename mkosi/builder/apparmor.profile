# Confines the containers that build. Load it on the engine's host: apparmor_parser --replace apparmor.profile
# Docker's own profile denies mount, without which mkosi cannot lay out a root. This one allows mounts, which the kernel confines to the
# container's user and mount namespaces, and keeps what reaches beyond them shut.
abi <abi/3.0>,

#include <tunables/global>

profile bitwitness-builder flags=(attach_disconnected,mediate_deleted) {
  #include <abstractions/base>

  file,
  capability,
  mount,
  umount,
  pivot_root,
  network unix,
  network inet,
  network inet6,
  network netlink raw,

  # Within the container only: other processes of the engine's host carry other labels.
  signal (send,receive) peer=bitwitness-builder,
  signal (receive) peer=unconfined,
  deny ptrace,

  deny @{PROC}/sys/** wkx,
  deny @{PROC}/sysrq-trigger rwkx,
  deny @{PROC}/kcore rwkx,
  deny @{PROC}/mem rwkx,
  deny @{PROC}/kmem rwkx,
  deny /sys/[^f]*/** wkx,
  deny /sys/f[^s]*/** wkx,
  deny /sys/fs/[^c]*/** wkx,
  deny /sys/fs/c[^g]*/** wkx,
  deny /sys/firmware/** rwkx,
  deny /sys/kernel/security/** rwkx,
}
