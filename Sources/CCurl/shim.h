#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>

// Swift cannot call variadic C functions: one typed call for each kind of option.

static inline CURLcode chost_curl_set_long(CURL *handle, CURLoption option, long value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode chost_curl_set_size(CURL *handle, CURLoption option, curl_off_t value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode chost_curl_set_string(CURL *handle, CURLoption option, const char *value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode chost_curl_set_pointer(CURL *handle, CURLoption option, void *value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode chost_curl_set_list(CURL *handle, CURLoption option, struct curl_slist *value) {
    return curl_easy_setopt(handle, option, value);
}

typedef size_t (*chost_curl_transfer)(char *bytes, size_t size, size_t count, void *context);

static inline CURLcode chost_curl_set_transfer(CURL *handle, CURLoption option, chost_curl_transfer callback) {
    return curl_easy_setopt(handle, option, callback);
}

static inline long chost_curl_get_long(CURL *handle, CURLINFO info) {
    long value = 0;
    return curl_easy_getinfo(handle, info, &value) == CURLE_OK ? value : 0;
}

static inline void *chost_curl_get_private(CURL *handle) {
    char *value = NULL;
    return curl_easy_getinfo(handle, CURLINFO_PRIVATE, &value) == CURLE_OK ? value : NULL;
}

static inline CURLcode chost_curl_message_result(const CURLMsg *message) { return message->data.result; }

static inline CURLMcode chost_curl_multi_set_long(CURLM *multi, CURLMoption option, long value) {
    return curl_multi_setopt(multi, option, value);
}

typedef int (*chost_curl_seek)(void *context, curl_off_t offset, int origin);

static inline CURLcode chost_curl_set_seek(CURL *handle, CURLoption option, chost_curl_seek callback) {
    return curl_easy_setopt(handle, option, callback);
}

typedef int (*chost_curl_progress)(void *context, curl_off_t total, curl_off_t now, curl_off_t up_total, curl_off_t up_now);

static inline CURLcode chost_curl_set_progress(CURL *handle, chost_curl_progress callback) {
    return curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, callback);
}

// Nothing but HTTP, also where a server sends us on to.
static inline CURLcode chost_curl_only_http(CURL *handle) {
#if LIBCURL_VERSION_NUM >= 0x075500
    CURLcode code = curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
    return code == CURLE_OK ? curl_easy_setopt(handle, CURLOPT_REDIR_PROTOCOLS_STR, "http,https") : code;
#else
    CURLcode code = curl_easy_setopt(handle, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
    return code == CURLE_OK ? curl_easy_setopt(handle, CURLOPT_REDIR_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS)) : code;
#endif
}
