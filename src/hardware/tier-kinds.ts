/** A kind of memory or disk behind a device. */
interface TierKindInfo {
  readonly name: string;
  /** Memory is read in place by devices; a disk is read into memory. */
  readonly access: "memory" | "disk";
}

/** Kinds of tiers by the key that profiles and scenarios use, nearest first. Disks lie behind all memory. */
export const tierKinds = {
  ddr: { name: "host memory", access: "memory" },
  cxl: { name: "CXL memory", access: "memory" },
  nvme: { name: "NVMe", access: "disk" },
} as const satisfies Record<string, TierKindInfo>;

export type TierKind = keyof typeof tierKinds;

/** Their keys, nearest first. */
export const tierKindNames = Object.keys(tierKinds) as [TierKind, ...TierKind[]];
