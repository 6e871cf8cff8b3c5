/** What happens in a run, and to what: the payload of each kind. */
export const eventKind = {
  /** A request reaches the router, its turn in a front end, its replica. */
  arrival: 0,
  turn: 1,
  tokenised: 2,
  /** A step in flight ends: replica x most steps in flight + step. */
  stepDone: 3,
  /** A replica may start a step. */
  start: 4,
  /** A shipment of a KV cache begins on the receiving side. */
  kvBegins: 5,
  /** A shipment of a request's KV cache has arrived; a decode pool sees a request whose prompt is computed. */
  kvArrives: 6,
  kvAsks: 7,
  /** A group of steps in flight goes on. */
  advance: 8,
  /** A replica has loaded; the scaling policy of a pool is asked. */
  ready: 9,
  tick: 10,
  /** A request goes on from the model that read it to the one that serves it; a model is in device memory. */
  chosen: 11,
  modelLoaded: 12,
} as const;

/**
 * At one instant: first what steps in flight do in the nanosecond before it, whose order is finer than whole nanoseconds;
 * then arrivals, finished steps, and new steps, so that a step sees all that has happened; scaling policies last.
 */
export const eventPriority = { advance: 0, arrival: 1, stepDone: 2, start: 3, tick: 4 } as const;
