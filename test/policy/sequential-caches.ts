/** Serves one access; whether it hit. */
export type Access = (key: number) => boolean;

/**
 * ARC by the cases I to IV of its paper, one access at a time: on a miss room is made before the object enters. Lists are most
 * recent first, as the paper draws them.
 */
export function sequentialArc(c: number): Access {
  const lists: Record<"t1" | "t2" | "b1" | "b2", number[]> = { t1: [], t2: [], b1: [], b2: [] };
  let p = 0;
  const takeFrom = (list: number[], key: number) => list.splice(list.indexOf(key), 1);
  const replace = (inB2: boolean) => {
    const { t1, t2, b1, b2 } = lists;
    if ((t1.length > 0 && (t1.length > p || (inB2 && t1.length === p))) || t2.length === 0) b1.unshift(t1.pop() ?? -1);
    else b2.unshift(t2.pop() ?? -1);
  };
  return (key) => {
    const { t1, t2, b1, b2 } = lists;
    if (t1.includes(key) || t2.includes(key)) {
      takeFrom(t1.includes(key) ? t1 : t2, key);
      t2.unshift(key);
      return true;
    }
    if (b1.includes(key) || b2.includes(key)) {
      const inB2 = b2.includes(key);
      p = inB2
        ? Math.max(0, p - Math.max(1, b1.length / b2.length))
        : Math.min(c, p + Math.max(1, b2.length / b1.length));
      takeFrom(inB2 ? b2 : b1, key);
      if (t1.length + t2.length === c) replace(inB2);
      t2.unshift(key);
      return false;
    }
    if (t1.length + b1.length === c) {
      if (t1.length < c) {
        b1.pop();
        replace(false);
      } else t1.pop();
    } else if (t1.length + t2.length + b1.length + b2.length >= c) {
      if (t1.length + t2.length + b1.length + b2.length === 2 * c) b2.pop();
      if (t1.length + t2.length === c) replace(false);
    }
    t1.unshift(key);
    return false;
  };
}

/**
 * LIRS one access at a time, with the room for residents of high recency that libCacheSim gives them. `shipped`: as it is
 * in libCacheSim, where a hit in the queue alone demotes an object of low recency; it needs at least two places in the queue.
 */
export function sequentialLirs(c: number, shipped: boolean): Access {
  const highMax = Math.max(1, Math.floor(0.01 * c));
  const lowMax = c - highMax;
  // Newest first.
  let stack: { key: number; kind: "low" | "high" | "gone" }[] = [];
  let queue: number[] = [];
  let gone: number[] = [];
  const lows = () => stack.filter(({ kind }) => kind === "low").length;
  const find = (key: number) => stack.find((entry) => entry.key === key);
  const toTop = (key: number, kind: "low" | "high" | "gone") => {
    stack = [{ key, kind }, ...stack.filter((entry) => entry.key !== key)];
  };
  const prune = () => {
    while (stack.length > 0 && stack.at(-1)?.kind !== "low") {
      const bottom = stack.pop();
      gone = gone.filter((key) => key !== bottom?.key);
    }
  };
  const evictHigh = () => {
    const victim = queue.pop() ?? -1;
    const entry = find(victim);
    if (entry === undefined) return;
    entry.kind = "gone";
    gone.unshift(victim);
  };
  const demoteLow = () => {
    const bottom = stack.pop()?.key ?? -1;
    if (queue.length === highMax) evictHigh();
    queue.unshift(bottom);
    prune();
  };
  const serve: Access = (key) => {
    const entry = find(key);
    const isQueued = queue.includes(key);
    queue = queue.filter((other) => other !== key);
    if (entry?.kind === "low") {
      toTop(key, "low");
      prune();
      return true;
    }
    if (isQueued && entry === undefined) {
      queue.unshift(key);
      if (shipped && lows() === lowMax) demoteLow();
      toTop(key, "high");
      return true;
    }
    if (entry !== undefined) {
      toTop(key, entry.kind);
      gone = gone.filter((other) => other !== key);
      if (lows() === lowMax) demoteLow();
      toTop(key, "low");
      return isQueued;
    }
    if (lows() < lowMax) toTop(key, "low");
    else {
      if (queue.length === highMax) evictHigh();
      queue.unshift(key);
      toTop(key, "high");
    }
    return false;
  };
  return (key) => {
    const hit = serve(key);
    while (stack.length > 2 * c && gone.length > 0) {
      const forgotten = gone.pop();
      stack = stack.filter((other) => other.key !== forgotten);
    }
    return hit;
  };
}

/**
 * GDSF of libCacheSim on objects of one size: a newcomer is ranked with the others before the least one goes. LFU-DA of its
 * paper: the least one goes first, then the newcomer is ranked by the new age.
 */
export function sequentialAgeing(c: number, newcomerMayGo: boolean): Access {
  const objects = new Map<number, { priority: number; uses: number; at: number }>();
  let age = 0;
  let time = 0;
  const evict = () => {
    const ordered = [...objects].sort(([, a], [, b]) => a.priority - b.priority || a.at - b.at);
    const [key, { priority }] = ordered[0] as [number, { priority: number }];
    objects.delete(key);
    age = priority;
  };
  return (key) => {
    const known = objects.get(key);
    if (known === undefined && !newcomerMayGo && objects.size === c) evict();
    const uses = (known?.uses ?? 0) + 1;
    objects.set(key, { priority: age + uses, uses, at: time++ });
    if (objects.size > c) evict();
    return known !== undefined;
  };
}
