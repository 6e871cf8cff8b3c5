/** Places that are nearer to one another than a distance, and what all others are apart at least. */
export interface NearClasses {
  /** Places of two classes are at least this far apart. */
  readonly apart: number;
  /** [places] class of each, numbered from 0. */
  readonly classOf: Int32Array;
  readonly classes: number;
}

/** Distances that are looked at; bounds hold whichever are. */
const levelsMax = 6;

/** Classes by rising distance, the first those of single places, such as a GPU by itself and then a node; distance [places][places]. */
export function nearClasses(distance: Float64Array, places: number): NearClasses[] {
  const apart = [...new Set(distance)].filter((each) => each > 0).sort((a, b) => a - b);
  return apart.slice(0, levelsMax).map((each) => {
    const classOf = Int32Array.from({ length: places }, (_, place) => place);
    for (let a = 0; a < places; a++)
      for (let b = 0; b < places; b++) {
        if (a === b || distance[a * places + b]! >= each) continue;
        const [from, to] = [classOf[a]!, classOf[b]!];
        if (from !== to) for (let place = 0; place < places; place++) if (classOf[place] === from) classOf[place] = to;
      }
    const names = [...new Set(classOf)];
    return { apart: each, classOf: classOf.map((own) => names.indexOf(own)), classes: names.length };
  });
}
