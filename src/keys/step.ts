/** What is done outside of the store; its journal knows of each such call before it is made. */
export const outsideSteps = ['generate', 'import', 'publish', 'withdraw', 'disable'] as const
export type OutsideStep = (typeof outsideSteps)[number]
