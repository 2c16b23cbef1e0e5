package policy

import (
	"encoding/json"
	"fmt"
	"io"

	"sockguard/policy/image"
	"sockguard/policy/verdict"
	"sockguard/rewrite/rawjson"

	"github.com/go-json-experiment/json/jsontext"
)

// diskUsage decides GET /system/df. It shows the owner's containers and volumes and
// the images that the owner sees, and computes the sums over them. The build cache
// is shared and is shown empty.
//
// The answer is edited as it streams. Images come before containers in it, so the
// owner's containers of each image are counted beforehand.
func diskUsage(c *verdict.Case) error {
	u := &usage{Case: c, items: verdict.IsTrue(c.Query.Get("verbose"))}
	c.Out.Query.Set("verbose", "1") // without it API 1.52 gives sums only
	c.Out.Response, c.Out.Finite = u.show, true
	return nil
}

type usage struct {
	*verdict.Case
	items bool             // show the Items of API 1.52
	users map[string]int64 // the owner's containers, by image
	src   io.Reader
	d     *jsontext.Decoder
	e     *jsontext.Encoder
}

// A total is the sum over the images, the containers or the volumes.
type total struct{ ActiveCount, TotalCount, TotalSize, Reclaimable int64 }

func (t *total) add(size int64, active bool) {
	t.TotalCount++
	t.TotalSize += max(size, 0)
	if active {
		t.ActiveCount++
	} else {
		t.Reclaimable += max(size, 0)
	}
}

func (u *usage) show(dst io.Writer, src io.Reader) error {
	u.users = make(map[string]int64)
	err := u.EachOwn(verdict.Container, func(item []byte) error {
		var o struct{ ImageID string }
		err := json.Unmarshal(item, &o)
		u.users[o.ImageID]++
		return err
	})
	if err != nil {
		return err
	}
	u.src, u.d, u.e = src, rawjson.NewDecoder(src), jsontext.NewEncoder(dst)
	u.e.WriteToken(jsontext.BeginObject) // the encoder returns an earlier error with the last token
	if err := rawjson.Members(u.d, u.member); err != nil {
		return fmt.Errorf("disk usage: %w", err)
	}
	return u.e.WriteToken(jsontext.EndObject)
}

// member copies a member of the answer, in the shape of API 1.25 to 1.51 or in that
// of API 1.52 and newer.
func (u *usage) member(name string) error {
	switch name {
	case "Images", "Containers", "Volumes":
		return u.list(name)
	case "ImageUsage", "ContainerUsage", "VolumeUsage":
		return u.group(name)
	case "BuildCache":
		u.write("BuildCache", jsontext.Value("[]"))
	case "BuilderSize":
		u.write(name, jsontext.Value("0"))
	case "BuildCacheUsage":
		u.write(name, jsontext.Value("{}"))
	}
	return u.d.SkipValue()
}

func (u *usage) write(name string, value jsontext.Value) {
	u.e.WriteToken(jsontext.String(name))
	u.e.WriteValue(value)
}

// list copies a list of the older shape. LayersSize, the size of all images,
// follows them.
func (u *usage) list(name string) error {
	u.e.WriteToken(jsontext.String(name))
	t, err := u.elements(name, true)
	if name == "Images" {
		u.write("LayersSize", rawjson.Encode(t.TotalSize))
	}
	return err
}

// group copies a member of the newer shape: sums, and items where they are asked
// for.
func (u *usage) group(name string) error {
	list := map[string]string{"ImageUsage": "Images", "ContainerUsage": "Containers", "VolumeUsage": "Volumes"}[name]
	u.e.WriteToken(jsontext.String(name))
	u.e.WriteToken(jsontext.BeginObject)
	var t total
	err := rawjson.Members(u.d, func(name string) (err error) {
		if name != "Items" {
			return u.d.SkipValue()
		}
		if u.items {
			u.e.WriteToken(jsontext.String(name))
		}
		t, err = u.elements(list, u.items)
		return err
	})
	u.write("ActiveCount", rawjson.Encode(t.ActiveCount))
	u.write("TotalCount", rawjson.Encode(t.TotalCount))
	u.write("TotalSize", rawjson.Encode(t.TotalSize))
	u.write("Reclaimable", rawjson.Encode(t.Reclaimable))
	u.e.WriteToken(jsontext.EndObject)
	return err
}

// elements copies the elements that the owner sees, or only adds them up.
func (u *usage) elements(list string, written bool) (t total, err error) {
	if written {
		u.e.WriteToken(jsontext.BeginArray)
	}
	err = rawjson.Elements(u.d, func(item jsontext.Value) error {
		rawjson.Next(u.src)
		item, err := u.item(list, item, &t)
		if err == nil && item != nil && written {
			err = u.e.WriteValue(item)
		}
		return err
	})
	if written && err == nil {
		err = u.e.WriteToken(jsontext.EndArray)
	}
	return t, err
}

// item returns an element as the owner may see it, nil when not at all.
func (u *usage) item(list string, item jsontext.Value, t *total) (jsontext.Value, error) {
	var o struct {
		ID           string `json:"Id"`
		Labels       map[string]string
		Size, SizeRw int64
		State        string
		UsageData    struct{ Size, RefCount int64 }
	}
	if err := json.Unmarshal(item, &o); err != nil {
		return nil, err
	}
	if list == "Images" {
		shown, err := image.Show(u.Case, item)
		if shown == nil || err != nil {
			return nil, err
		}
		t.add(o.Size, u.users[o.ID] > 0)
		edited, err := rawjson.ParseObject(shown)
		edited.Set("Containers", rawjson.Encode(u.users[o.ID]))
		edited.Set("SharedSize", jsontext.Value("0")) // so that the sums agree with the sizes
		return edited.Marshal(), err
	}
	if !u.Owns(o.Labels) {
		return nil, nil
	}
	if list == "Containers" {
		t.add(o.SizeRw, o.State == "running" || o.State == "paused" || o.State == "restarting")
	} else {
		t.add(o.UsageData.Size, o.UsageData.RefCount > 0)
	}
	return item, nil
}
