/** What the window hears when something is kept on the device or deleted. */
export const STORAGE_CHANGE = 'modernbert-storage-change';
