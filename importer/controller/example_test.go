package controller_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"time"

	"opscom-import/importer/controller"
)

func Example() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Printf("POST %s\n%s\n", r.URL.Path, body)
		_, _ = io.WriteString(w, `{"status":"success","reference_id":44}`)
	}))
	defer server.Close()

	client, err := controller.New(controller.Config{
		BaseURL: server.URL, Client: "OC_TOMA", Token: controller.NewToken("not-a-real-token"),
		Workers: 8, Rate: 10, Burst: 1, MaxAttempts: 5, Timeout: 30 * time.Second,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()

	ctx := context.Background()
	answer, err := client.Push(ctx, ctx, []byte(`{"unique_id":"900123456","login_source":"SSO"}`), nil)
	fmt.Println(answer.Status, answer.ReferenceID, err)
	// Output:
	// POST /api/OC_TOMA/v1/profiles/push
	// {"apiToken":"not-a-real-token","unique_id":"900123456","login_source":"SSO"}
	// pushed 44 <nil>
}
