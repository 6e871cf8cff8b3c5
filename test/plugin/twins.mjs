/** Policies of moecast written again as a plugin: LRU, experts in order, targets in turn. */

class LruTwin {
  resident = 0;
  /** Residents, the least recently used first. */
  #order = new Set();

  constructor({ capacity }) {
    this.capacity = capacity;
  }

  contains(key) {
    return this.#order.has(key);
  }

  call(keys, from, to, hit) {
    let hits = 0;
    for (let i = from; i < to; i++) {
      const wasResident = this.#order.delete(keys[i]);
      hit[i - from] = wasResident ? 1 : 0;
      if (wasResident) hits++;
      this.#order.add(keys[i]);
    }
    for (const key of this.#order) {
      if (this.#order.size <= this.capacity) break;
      this.#order.delete(key);
    }
    this.resident = this.#order.size;
    return hits;
  }

  insert(key, spared) {
    if (this.#order.size >= this.capacity) {
      let victim = -1;
      for (const resident of this.#order)
        if (spared[resident - this.base] !== 1) {
          victim = resident;
          break;
        }
      if (victim < 0) return false;
      this.#order.delete(victim);
    }
    this.#order.add(key);
    this.resident = this.#order.size;
    return true;
  }

  drop(key) {
    this.#order.delete(key);
    this.resident = this.#order.size;
  }
}

const lruTwin = {
  name: "lru-twin",
  rule: "Evicts the expert whose last use is longest ago.",
  parameters: {
    unused: { type: "integer", min: 0, max: 10, default: 3, description: "Changes nothing." },
  },
  create: (context) => Object.assign(new LruTwin(context), { base: context.base ?? 0 }),
};

const orderTwin = {
  name: "order-twin",
  rule: "Experts in id order, equally many on each rank.",
  place: ({ layers, experts, ranks, physicalExperts }) => {
    const perRank = physicalExperts / ranks;
    const logicalExperts = new Uint16Array(layers * physicalExperts).fill(0xffff);
    const more = experts % ranks;
    for (let layer = 0; layer < layers; layer++)
      for (let rank = 0, expert = 0; rank < ranks; rank++)
        for (let i = 0; i < Math.floor(experts / ranks) + (rank < more ? 1 : 0); i++)
          logicalExperts[layer * physicalExperts + rank * perRank + i] = expert++;
    return { layers, experts, ranks, physicalExpertsPerRank: perRank, logicalExperts };
  },
};

const turnTwin = {
  name: "turn-twin",
  rule: "Targets in turn, whatever their load.",
  create: (targets) => {
    let next = 0;
    return {
      choose: () => {
        const target = next;
        next = (target + 1) % targets;
        return target;
      },
    };
  },
};

export const name = "twins";
export const caches = [lruTwin];
export const placements = [orderTwin];
export const routers = [turnTwin];
