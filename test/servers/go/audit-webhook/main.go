// The receiving end of the kube-apiserver's audit webhook: takes what the codec of k8s.io/apiserver takes for an
// EventList of audit.k8s.io/v1, strictly (an unknown or repeated field is refused), and appends each event to a file
// before it answers, as the same codec prints it.
// Usage: audit-webhook ADDRESS FILE
package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"sync"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	auditinternal "k8s.io/apiserver/pkg/apis/audit"
	auditv1 "k8s.io/apiserver/pkg/apis/audit/v1"
	"k8s.io/apiserver/pkg/audit"
)

const maxBodyBytes = 64 << 20

type webhook struct {
	decoder runtime.Decoder
	encoder runtime.Encoder

	mutex sync.Mutex
	file  *os.File
}

func main() {
	file, err := os.OpenFile(os.Args[2], os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		log.Fatal(err)
	}
	strict := serializer.NewCodecFactory(audit.Scheme, serializer.EnableStrict)
	hook := &webhook{
		decoder: strict.UniversalDecoder(auditinternal.SchemeGroupVersion),
		encoder: strict.LegacyCodec(auditv1.SchemeGroupVersion),
		file:    file,
	}
	log.Fatal(http.ListenAndServe(os.Args[1], hook))
}

func (hook *webhook) ServeHTTP(response http.ResponseWriter, request *http.Request) {
	if request.Method == http.MethodGet {
		return
	}
	if err := hook.take(request); err != nil {
		http.Error(response, err.Error(), http.StatusBadRequest)
	}
}

func (hook *webhook) take(request *http.Request) error {
	body := io.Reader(request.Body)
	if request.Header.Get("Content-Encoding") == "gzip" {
		unzipped, err := gzip.NewReader(body)
		if err != nil {
			return err
		}
		body = unzipped
	}
	content, err := io.ReadAll(io.LimitReader(body, maxBodyBytes))
	if err != nil {
		return err
	}
	object, _, err := hook.decoder.Decode(content, nil, nil)
	if err != nil {
		return err
	}
	list, isList := object.(*auditinternal.EventList)
	if !isList {
		return fmt.Errorf("%T is no EventList", object)
	}
	var lines bytes.Buffer
	for i := range list.Items {
		// The codec ends each object with a newline.
		if err := hook.encoder.Encode(&list.Items[i], &lines); err != nil {
			return err
		}
	}
	hook.mutex.Lock()
	defer hook.mutex.Unlock()
	_, err = hook.file.Write(lines.Bytes())
	return err
}
