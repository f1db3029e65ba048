/** @type {import('next').NextConfig} */
export default {
  serverExternalPackages: ['modernbert-webgpu', 'webgpu'], // the route's: Dawn is a native module
};
