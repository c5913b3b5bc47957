// A strict cookie is not sent where another page, or a file, led here; it is where this page itself asks again.
const tried = "protea-tried";
if (!location.search.includes("token=") && sessionStorage.getItem(tried) !== location.href) {
  sessionStorage.setItem(tried, location.href);
  location.replace(location.href);
} else {
  sessionStorage.removeItem(tried);
}
