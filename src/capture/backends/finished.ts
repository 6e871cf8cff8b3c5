import type { Tensor, Tfjs } from "./backend.ts";

/**
 * Waits until a tensor has been computed, reading one value of it back; what was still on the host is on the device then.
 * A GPU runs behind the calls that ask for its work, so times that do not wait are those of asking.
 */
export async function finished(tf: Tfjs, tensor: Tensor): Promise<void> {
  const one = tf.tidy(() => tf.slice(tf.reshape(tensor, [-1]), [0], [1]));
  await one.data();
  one.dispose();
}
