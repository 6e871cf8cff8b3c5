/** CUDA compute capability from which on a GPU is of a generation. */
export const turing = 7.5;
export const ampere = 8;
export const ada = 8.9;
export const hopper = 9;
export const blackwell = 10;
export const rtxBlackwell = 12;
