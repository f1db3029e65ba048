import './style.css';

export const metadata = { title: 'Ask the bicycle shop', icons: 'data:,' };

export default function Layout({ children }) {
  return (
    <html lang="en">
      <body>{children}</body>
    </html>
  );
}
