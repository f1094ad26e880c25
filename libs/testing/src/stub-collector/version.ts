/** The version that the stub says it has. */
export const stubVersion = '0.149.0'
