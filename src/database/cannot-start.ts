/** Why the server cannot start: one plain line that says what is wrong and what to do. Shown without a stack. */
export class CannotStart extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'CannotStart'
  }
}
